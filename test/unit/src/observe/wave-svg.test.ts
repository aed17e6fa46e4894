import { describe, expect, test } from 'vitest';
import { type Wave, WaveBuilder } from '../../../../src/observe/wave.ts';
import { waveSvg } from '../../../../src/observe/wave-svg.ts';

const WAVES: readonly Wave[] = [
  new WaveBuilder('a & b', 'octet', 'bus', 8).set(40, 0x5a, '5a', 'data').set(200, null).build(0, 400, null),
  new WaveBuilder('a & b', 'CLK', 'clock').set(40, 1).set(60, 0).build(0, 400, 0),
  new WaveBuilder('a & b', 'EN', 'bit').pulses([{ fromNs: 40, toNs: 200 }]).build(0, 400, 0),
  new WaveBuilder('<line>', 'bit', 'digits').set(40, 1, '1').set(48, 0, '0').set(56, null).build(0, 400, null),
  new WaveBuilder('<line>', 'volts', 'level').set(40, 1).set(48, -1).set(56, 0).set(300, null).build(0, 400, null),
];
const draw = (toNs: number) =>
  waveSvg({
    ...{ title: 'A "frame" <1>', notes: ['one', 'two'], waves: WAVES, fromNs: 0, toNs, originNs: 40, tickNs: 40 },
    ...{ rowNs: 200, rowPx: 1000 },
  });

/** Start and end tags, in order; self-closing ones are left out. */
function unbalanced(svg: string): string[] {
  const open: string[] = [];
  for (const [, end, name, empty] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (end === '/') {
      if (open.pop() !== name) return [`</${name}>`];
    } else if (empty !== '/') open.push(name!);
  }
  return open;
}

describe('an SVG of waves', () => {
  test('is well-formed, whatever the names are', () => {
    const svg = draw(400);
    expect(unbalanced(svg)).toEqual([]);
    expect(svg).toContain('>A "frame" &lt;1&gt;</text>');
    expect(svg).toContain('>a &amp; b</text>');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('has a row for each stretch of time, with every signal in it', () => {
    expect([...draw(200).matchAll(/>volts</g)].length).toBe(1);
    expect([...draw(400).matchAll(/>volts</g)].length).toBe(2);
    expect([...draw(401).matchAll(/>volts</g)].length).toBe(3);
  });

  test('writes values above their signal, and times counted from the origin', () => {
    const svg = draw(200);
    expect(svg).toContain('>5a</text>');
    expect(svg).toMatch(/>-40 ns<.*>0<.*>40 ns</s);
    expect(svg).toContain('<text class="field" x="724"');
  });

  test('draws edges where the signal changes: 5 pixels a nanosecond behind the gutter', () => {
    const [, path] = /<path class="bit" d="([^"]+)"/.exec(draw(200))!;
    // From x = 124 on: low to 40 ns, then high.
    expect(path).toMatch(/^M124 (\S+)H\S+H323L325 (\S+)H/);
    // A clock's edges are upright.
    expect(draw(200)).toMatch(/<path class="clock" d="M124 \S+H\S+H324L324 /);
    const [low, high] = /M124 ([\d.]+)H.*L325 ([\d.]+)H/.exec(path!)!.slice(1).map(Number);
    expect(low! - high!).toBe(13);
  });
});
