/** tshark as a judge of captures: it has read more of them than anybody. */
import { execFileSync } from 'node:child_process';

const CHECKS = ['eth.check_fcs', 'ip.check_checksum', 'udp.check_checksum', 'tcp.check_checksum'];
/** What a capture of a clean wire has none of. ICMP checksums are checked always. */
const FAULTS = [
  '_ws.malformed',
  'eth.fcs.status == "Bad"',
  'ip.checksum.status == "Bad"',
  'icmp.checksum.status == "Bad"',
  'udp.checksum.status == "Bad"',
  'tcp.checksum.status == "Bad"',
];

/**
 * tshark does not look into TCP's data. Where segments are lost or overtaken, it may take the middle of a stream for the
 * beginning of whatever protocol it resembles, and find that malformed.
 */
export const TCP_DATA_AS_IT_IS = ['-d', 'tcp.port==1-65535,data'];

/** One line for each frame of the capture that `filter` lets through. */
export function framesOf(pcapPath: string, filter: string, ...options: readonly string[]): string[] {
  const preferences = CHECKS.flatMap(check => ['-o', `${check}:TRUE`]);
  const args = ['-n', '-r', pcapPath, ...preferences, ...options, '-Y', filter];
  const printed = execFileSync('tshark', args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return printed.split('\n').filter(line => line !== '');
}

/** The frames that are malformed, or have a wrong checksum or FCS. */
export function faultyFrames(pcapPath: string, ...options: readonly string[]): string[] {
  return framesOf(pcapPath, FAULTS.join(' || '), ...options);
}
