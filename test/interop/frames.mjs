/** What tshark makes of the packets that we sent. */

import { spawnSync } from 'node:child_process';

/** How many packets with SCTP, in UDP or straight in IP, left this address, and those that Wireshark finds malformed or of the wrong checksum. */
export function malformedFrames(capture, address) {
  const ours = `ip.src == ${address} && sctp`;
  const bad = '_ws.malformed || _ws.expert.severity == "Error" || sctp.checksum.status == "Bad"';
  const read = (filter) => {
    const options = ['-o', 'sctp.checksum:CRC-32C', '-d', 'udp.port==9899,sctp'];
    const { stdout, status, stderr } = spawnSync('tshark', ['-r', capture, ...options, '-Y', filter], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    if (status !== 0) throw new Error(stderr);
    return stdout.split('\n').filter((line) => line !== '');
  };
  return { frames: read(ours).length, malformed: read(`${ours} && (${bad})`) };
}
