/**
 * What TCP makes of a link: goodput by loss, buffer, round-trip time and algorithm, as a table. A change in it is to be
 * looked at, and then accepted with `vitest -u`.
 */
import { expect, test } from 'vitest';
import { TcpPair } from '../support/tcp-pair.ts';
import { Transfer } from '../support/tcp-transfer.ts';

const BYTES = 200_000;
const LOSSES = [0, 0.001, 0.01, 0.05];
const BUFFERS = [8192, 65_536, 262_144];
const DELAYS_MS = [1, 20, 100];

function goodput(
  loss: number,
  buffer: number,
  delayMs: number,
  congestion: 'newreno' | 'cubic',
  sack: boolean,
): string {
  const pair = new TcpPair('golden', { loss, delayNs: delayMs * 1e6, bitsPerSecond: 100e6, queueFrames: 100 });
  const options = { sendBufferBytes: buffer, receiveBufferBytes: buffer, congestion, sack };
  const transfer = new Transfer(pair, BYTES, options);
  transfer.run(600e9, () => transfer.done);
  return transfer.done ? ((BYTES * 8e3) / pair.nowNs()).toFixed(3) : '-';
}

test('goodput in Mb/s of 200 kB over 100 Mb/s', async () => {
  const lines = ['algorithm     loss     buffer  delay ms     Mb/s'];
  for (const [congestion, sack] of [
    ['newreno', false],
    ['newreno', true],
    ['cubic', true],
  ] as const) {
    for (const loss of LOSSES) {
      for (const buffer of BUFFERS) {
        for (const delay of DELAYS_MS) {
          const name = `${congestion}${sack ? '+sack' : ''}`;
          const figures = [
            name.padEnd(12),
            String(loss).padStart(6),
            String(buffer).padStart(10),
            String(delay).padStart(9),
          ];
          lines.push(`${figures.join(' ')} ${goodput(loss, buffer, delay, congestion, sack).padStart(10)}`);
        }
      }
    }
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('tcp-throughput.txt');
});
