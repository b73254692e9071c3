/** Answering ASAP_ENDPOINT_KEEP_ALIVE (RFC 5352 section 3.4, KA1 and KA2). */

import type { EndpointKeepAlive } from '../wire/messages.js';
import type { AsapChannel } from './asap-channel.js';
import type { RegisteredElement } from './registered-element.js';

/**
 * Acknowledges for each of our elements that the message is about: the one it names, or all of that pool if it names
 * none (the RFC's form). Returns false, in silence, if there is none (KA1).
 */
export function answerKeepAlive(
  message: EndpointKeepAlive,
  channel: AsapChannel,
  elements: Iterable<RegisteredElement>,
): boolean {
  const { poolHandle } = message;
  let answered = false;
  for (const element of elements) {
    if (element.poolHandle !== poolHandle) continue;
    if (message.peIdentifier !== undefined && message.peIdentifier !== element.identifier) continue;
    answered = true;
    channel.send({ type: 'endpointKeepAliveAck', poolHandle, peIdentifier: element.identifier });
  }
  return answered;
}
