/**
 * Repair: puts our own readers in the place of those of the package's association that lose messages, hang, or crash, and our
 * own sending in the place of its timers (docs/sctp.md lists why). What the package keeps: the states up to ESTABLISHED, INIT ACK
 * and COOKIE ACK, and the answer to HEARTBEAT.
 */

import type Association from 'sctp/lib/association';
import type { Cause, DataChunk, SackChunk } from 'sctp/lib/association';
import type { InitChunk } from 'sctp/lib/endpoint';
import type Packet from 'sctp/lib/packet';

/** What comes in the place of the package's own; each is called while the package reads a packet. */
export interface AssociationReaders {
  onData(chunk: DataChunk): void;
  onSack(chunk: SackChunk): void;
  /** An INIT on a living association. */
  onInit(chunk: InitChunk, source: string, header: Packet): void;
  onHeartbeatAck(info: Buffer): void;
  onShutdown(cumulativeTsnAck: number): void;
  onShutdownAck(): void;
  onShutdownComplete(): void;
  onAbort(causes: readonly Cause[]): void;
  /** The codes of the causes of an ERROR. */
  onError(causes: readonly number[]): void;
  /** The association is ESTABLISHED. */
  onUp(): void;
  /** The peer's INIT or INIT ACK. */
  onPeer(chunk: InitChunk): void;
  /** Sends one chunk in a packet of its own. */
  send(chunkType: string, options?: object): void;
}

interface WithCauses {
  readonly error_causes?: readonly Cause[];
}

/** Repairs an association that has not sent or read anything yet. */
export function repairAssociation(base: Association, readers: AssociationReaders): void {
  const replace = (event: string, reader: (...parameters: never[]) => void): void => {
    base.removeAllListeners(event).on(event, reader as (...parameters: unknown[]) => void);
  };
  replace('data', (chunk: DataChunk) => readers.onData(chunk));
  replace('sack', (chunk: SackChunk) => readers.onSack(chunk));
  replace('init', (chunk: InitChunk, source: string, header: Packet) => readers.onInit(chunk, source, header));
  // The guard has seen that it is the cookie of this very association: its COOKIE ACK was lost.
  replace('cookie_echo', () => readers.send('cookie_ack'));
  replace('heartbeat_ack', (chunk: { readonly heartbeat_info: Buffer }) =>
    readers.onHeartbeatAck(chunk.heartbeat_info),
  );
  replace('shutdown', (chunk: { readonly c_tsn_ack: number }) => readers.onShutdown(chunk.c_tsn_ack));
  replace('shutdown_ack', () => readers.onShutdownAck());
  replace('shutdown_complete', () => readers.onShutdownComplete());
  replace('abort', (chunk: WithCauses) => readers.onAbort(chunk.error_causes ?? []));
  replace('error', (chunk: WithCauses) => readers.onError((chunk.error_causes ?? []).map((cause) => cause.cause_code)));
  base.on('COMMUNICATION UP', () => readers.onUp());
  base._enableHeartbeat = () => {};
  base._sendChunk = (type, options, _destination, sent) => {
    readers.send(type, options);
    sent?.();
  };
  const update = base._updatePeer;
  base._updatePeer = (chunk) => {
    // The package would look for packets under every address that the peer names.
    const { ipv4_address: _, ...plain } = chunk;
    update.call(base, plain);
    readers.onPeer(chunk);
  };
}
