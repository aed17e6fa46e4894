import { describe, expect, test } from 'vitest';
import { Frame } from '../../../../hw/ethernet/frame.ts';
import { EIGHT_B_TEN_B, lineCodeOf, MANCHESTER, MLT3 } from '../../../../hw/ethernet/line/line-code.ts';
import { jammed } from '../../../../hw/ethernet/medium/damage.ts';
import { BIT_NS } from '../../../../hw/ethernet/ports.ts';
import type { FrameEvent } from '../../../../src/observe/frame-probe.ts';
import { atSpeed, type LineView, lineWaves, writeVcd } from '../../../../src/observe/line-waveform.ts';
import { segmentsOf, type Wave } from '../../../../src/observe/wave.ts';
import { ARP_REQUEST } from '../../../support/line.ts';
import { readVcd } from '../../../support/vcd-reader.ts';

const DELAY_NS = 56;

function event(timeNs: number, more: Partial<FrameEvent> = {}): FrameEvent {
  const bitNs = more.bitNs ?? 10;
  const sent = more.sent ?? ARP_REQUEST;
  const endNs = timeNs + (64 + 8 * sent.wireBytes) * bitNs;
  return {
    ...{ timeNs, endNs, arrivalNs: timeNs + DELAY_NS, bitNs, fromEnd: 0, sent, arrived: sent, aborted: false },
    jamNs: Number.POSITIVE_INFINITY,
    ...more,
  };
}

const VIEW: LineView = {
  ends: ['a.eth0', 'b.eth0'],
  wire: 'cable',
  fromEnd: 0,
  speed: 100,
  fullDuplex: true,
  code: MLT3,
  fromNs: 0,
  toNs: 6000,
};

const named = (waves: readonly Wave[], scope: string, name: string) =>
  waves.find(wave => wave.scope === scope && wave.name === name)!;
/** The changes of a wave as `time:text`, or `time:value` where there is no text. */
const changes = (wave: Wave) => wave.changes.map(({ atNs, value, text }) => `${atNs}:${text === '' ? value : text}`);

describe('a collision on MII at 100 Mb/s', () => {
  // Our frame from 40 ns on, a remote carrier that comes in at 1000 ns while nibble 25 is sent: the jam is 8 nibbles.
  const ours = event(40, { endNs: 1360, aborted: true });
  const arrived = jammed(ARP_REQUEST, 36, 4);
  const theirs = event(900, { fromEnd: 1, arrivalNs: 1000, endNs: 1900, aborted: true, arrived });
  const view = { ...VIEW, fullDuplex: false, toNs: 2400 };
  let text = '';
  writeVcd(
    chunk => {
      text += chunk;
    },
    lineWaves([ours, theirs], view),
    view.toNs,
  );
  const vcd = readVcd(text);

  test('TX_EN rises and falls with the first nibble and behind the last one', () => {
    expect(vcd['a_eth0.TX_EN']).toEqual(['0:0', '40:1', '1360:0']);
  });

  test('nibble n is driven at 40 n ns: SFD at 640, broadcast from 680, jam from 1040', () => {
    expect(vcd['a_eth0.TXD']).toEqual(['0:0', '40:101', '640:1101', '680:1111', '1040:101', '1360:0']);
  });

  test('the jam is marked from its first nibble on, in the middle of an octet', () => {
    const data = named(lineWaves([ours, theirs], view), 'a.eth0', 'TXD');
    const fieldAt = (ns: number) => data.changes.find(({ atNs }) => atNs === ns)!.field;
    expect([1000, 1040, 1320].map(fieldAt)).toEqual(['DA', 'jam', 'jam']);
  });

  test('TX_CLK rises every 40 ns, also as TXD changes', () => {
    expect(vcd['a_eth0.TX_CLK']!.slice(0, 5)).toEqual(['0:1', '20:0', '40:1', '60:0', '80:1']);
    expect(vcd['a_eth0.TX_CLK']).toContain('1360:1');
  });

  test('CRS follows 12 ns later, and stays for the remote carrier', () => {
    expect(vcd['a_eth0.CRS']).toEqual(['0:0', '52:1', '2012:0']);
  });

  test('COL rises with the remote carrier, and falls a nibble after the end of the jam', () => {
    expect(vcd['a_eth0.COL']).toEqual(['0:0', '1000:1', '1400:0']);
  });

  test('what is heard stands on the receive side of the same MII', () => {
    expect(vcd['a_eth0.RX_DV']).toEqual(['0:0', '1000:1', '2000:0']);
    expect(vcd['a_eth0.RXD']).toEqual(['0:0', '1000:101', '1600:1101', '1640:1111', '1680:101', '2000:0']);
  });

  test('the line of the aborted frame ends with T R behind the jam', () => {
    const groups = named(lineWaves([ours, theirs], view), 'cable', '4B5B');
    const at = groups.changes.findIndex(({ text: name }) => name === '/T/');
    expect([groups.changes[at]!.atNs, groups.changes[at + 1]!.text]).toEqual([1360, '/R/']);
  });
});

describe('a frame on 100BASE-TX', () => {
  const waves = lineWaves([event(1000)], { ...VIEW, fromNs: 500, toNs: 8000 });

  test('J is on the line as TXD carries the first 5, T as TX_EN falls', () => {
    const groups = changes(named(waves, 'cable', '4B5B'));
    expect(groups).toContain('1000:/J/');
    expect(groups).toContain('1040:/K/');
    expect(groups).toContain(`1600:D`);
    expect(groups).toContain(`${1000 + 40 * 144}:/T/`);
  });

  test('idle is drawn for four groups before it, and nothing is claimed about earlier', () => {
    const [first, second] = named(waves, 'cable', 'MLT-3').changes;
    expect([first!.value, second!.atNs]).toEqual([null, 1000 - 4 * 40]);
  });

  test('the levels are those of the line code, one every 8 ns', () => {
    const level = named(waves, 'cable', 'MLT-3');
    const symbols = MLT3.encode(ARP_REQUEST.wire());
    const drawn = level.changes.slice(1).map(({ atNs, value }) => [atNs, value]);
    symbols.subarray(MLT3.leadSymbols - 20).forEach((symbol, i) => {
      expect(drawn[i]).toEqual([840 + 8 * i, symbol]);
    });
  });

  test('the far end has it after the delay, RXD changing as RX_CLK falls', () => {
    const [valid, data, clock] = ['RX_DV', 'RXD', 'RX_CLK'].map(name => named(waves, 'b.eth0', name));
    expect(changes(valid!)).toEqual(['500:0', '1056:1', '6816:0']);
    const falls = new Set(clock!.changes.filter(({ value }) => value === 0).map(({ atNs }) => atNs));
    for (const { atNs } of data!.changes.slice(1)) expect(falls).toContain(atNs);
  });

  test('each octet says which part of the frame it is', () => {
    const fields = named(waves, 'a.eth0', 'octet').changes.map(({ field }) => field);
    const count = (field: string) => fields.filter(each => each === field).length;
    expect(['preamble', 'SFD', 'DA', 'SA', 'type', 'data', 'FCS'].map(count)).toEqual([7, 1, 6, 6, 2, 46, 4]);
  });

  test('a frame that arrived with RX_ER shows it', () => {
    const arrived = Frame.raw(ARP_REQUEST.wire().slice(0, 20), { dribbleBits: 0, rxError: true });
    const error = named(lineWaves([event(1000, { arrived })], VIEW), 'b.eth0', 'RX_ER');
    const endNs = 1056 + 40 * 2 * 28;
    expect(changes(error)).toEqual(['0:0', `${endNs - 40}:1`, `${endNs}:0`]);
    const lost = lineWaves([event(1000, { arrived: null })], VIEW);
    expect(changes(named(lost, 'b.eth0', 'RX_DV'))).toEqual(['0:0']);
  });
});

describe.each([
  [10, MANCHESTER, 'Manchester', 50],
  [1000, EIGHT_B_TEN_B, 'NRZ', 0.8],
] as const)('a frame at %i Mb/s', (speed, code, name, symbolNs) => {
  const frame = atSpeed(event(1000), speed);
  const view = { ...VIEW, speed, code, toNs: 100_000 };

  test('takes the time of that speed', () => {
    expect(frame.endNs - frame.timeNs).toBe(576 * BIT_NS[speed]);
    expect(lineCodeOf(speed)).toBe(code);
  });

  test('has its levels in step with TX_EN', () => {
    const waves = lineWaves([frame], view);
    const symbols = code.encode(ARP_REQUEST.wire());
    const level = segmentsOf(named(waves, 'cable', name), 0, 100_000);
    const first = level.find(({ atNs }) => Math.abs(atNs - 1000) < 0.01)!;
    expect(first.value).toBe(symbols[code.leadSymbols]);
    expect(first.toNs - first.atNs).toBeCloseTo(symbolNs, 3);
    expect(changes(named(waves, 'a.eth0', 'TX_EN'))).toContain('1000:1');
  });
});

describe('a window', () => {
  test('shows what was before its beginning, and nothing from its end on', () => {
    const waves = lineWaves([event(1000)], { ...VIEW, fromNs: 2000, toNs: 2100 });
    expect(changes(named(waves, 'a.eth0', 'TX_EN'))).toEqual(['2000:1']);
    for (const { changes: all } of waves) {
      expect(all[0]!.atNs).toBe(2000);
      expect(all.at(-1)!.atNs).toBeLessThan(2100);
    }
  });

  test('has no line when no code is drawn, and no receive side where nothing is heard', () => {
    const waves = lineWaves([event(1000)], { ...VIEW, code: null });
    expect(new Set(waves.map(({ scope }) => scope))).toEqual(new Set(['a.eth0', 'b.eth0']));
    expect(named(waves, 'a.eth0', 'RXD')).toBeUndefined();
    expect(named(lineWaves([event(90_000)], VIEW), 'a.eth0', 'TX_EN').changes.length).toBe(1);
  });

  test('takes no notice of frames that are not in it', () => {
    const waves = lineWaves([event(1000), event(90_000, { fromEnd: 1 })], VIEW);
    expect(named(waves, 'a.eth0', 'RXD')).toBeUndefined();
  });

  test('has a clock that rises as each frame begins, however far apart they are', () => {
    const clock = named(lineWaves([event(1000), event(7030)], { ...VIEW, toNs: 9000 }), 'a.eth0', 'TX_CLK').changes;
    for (const startNs of [1000, 7030]) {
      const at = clock.findIndex(({ atNs }) => atNs === startNs);
      expect([clock[at - 1]!.value, clock[at]!.value]).toEqual([0, 1]);
    }
  });

  test('leaves what is shorter than a nanosecond out of a VCD', () => {
    let text = '';
    const frame = atSpeed(event(1000), 1000);
    const waves = lineWaves([frame], { ...VIEW, speed: 1000, code: EIGHT_B_TEN_B });
    writeVcd(
      chunk => {
        text += chunk;
      },
      waves,
      6000,
    );
    const vcd = readVcd(text);
    expect(Object.keys(vcd)).not.toContain('cable.NRZ');
    expect(vcd['cable._8B10B']!.length).toBeGreaterThan(40);
  });
});
