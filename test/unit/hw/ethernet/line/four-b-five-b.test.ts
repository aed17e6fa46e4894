import { describe, expect, test } from 'vitest';
import {
  bitsOfGroups,
  CONTROL,
  decodeStream,
  encodeStream,
  groupName,
} from '../../../../../hw/ethernet/line/four-b-five-b.ts';
import { unitsOf } from '../../../../../hw/ethernet/line/mii.ts';
import { ARP_REQUEST, bitsOf } from '../../../../support/line.ts';

/** Table 24-1. */
const TABLE =
  '0 11110, 1 01001, 2 10100, 3 10101, 4 01010, 5 01011, 6 01110, 7 01111, 8 10010, 9 10011, A 10110, B 10111, ' +
  'C 11010, D 11011, E 11100, F 11101, /I/ 11111, /J/ 11000, /K/ 10001, /T/ 01101, /R/ 00111, /H/ 00100';
const CODE = TABLE.split(', ').map(entry => entry.split(' ') as [name: string, bits: string]);
const bitsNamed = (...names: string[]) => names.map(name => CODE.find(([other]) => other === name)![1]).join('');
const IDLE = '1'.repeat(20);
/** /J/K/ and the rest of the header of a frame. */
const HEADER = `${IDLE}${bitsNamed('/J/', '/K/', ...'5555555555555D')}`;
const receive = (text: string) => decodeStream(bitsOf(text));

describe('4B/5B, clause 24', () => {
  test('codes every nibble, and names every group, as in Table 24-1', () => {
    for (const [name, bits] of CODE) expect(groupName(Number.parseInt(bits, 2))).toBe(name);
    const valid = new Set(CODE.map(([, bits]) => Number.parseInt(bits, 2)));
    for (let group = 0; group < 32; group++) if (!valid.has(group)) expect(groupName(group)).toBe('/V/');
    const all = Uint8Array.from({ length: 18 }, (_, i) => (i < 2 ? 5 : i - 2));
    const expected = bitsNamed('/J/', '/K/', ...'0123456789ABCDEF', '/T/', '/R/');
    expect(bitsOfGroups(encodeStream(all, 0, 0)).join('')).toBe(expected);
  });

  test('an ARP request is J K, thirteen times 5, D, F F ..., its FCS, T R between idle', () => {
    const names = [...encodeStream(unitsOf(ARP_REQUEST.wire(), 4), 3, 2)].map(groupName).join(' ');
    expect(names).toMatch(/^\/I\/ \/I\/ \/I\/ \/J\/ \/K\/ (5 ){13}D (F ){12}2 0 0 0 0 0 0 0 0 0 1 0 8 0 6 0 /);
    expect(names).toMatch(/ D A D 8 8 8 0 4 \/T\/ \/R\/ \/I\/ \/I\/$/);
  });

  test('the receiver gives J K back as 5 5', () => {
    const nibbles = unitsOf(ARP_REQUEST.wire(), 4);
    const received = decodeStream(bitsOfGroups(encodeStream(nibbles, 4, 4)));
    expect(received).toEqual({ nibbles, rxError: false, falseCarriers: 0 });
  });

  test.each(['/H/', '/J/', '/I/', '/T/', '/R/'])('%s within a stream raises RX_ER, and the stream goes on', name => {
    const { nibbles, rxError } = receive(`${HEADER}${bitsNamed('1', name, '2', '/T/', '/R/')}${IDLE}`);
    expect(rxError).toBe(true);
    expect([...nibbles.subarray(16)]).toEqual([1, 0, 2]);
  });

  test('a stream that falls into idle without T R ended too early: RX_ER', () => {
    const { nibbles, rxError } = receive(`${HEADER}${bitsNamed('1', '2')}${IDLE}`);
    expect([rxError, ...nibbles.subarray(16)]).toEqual([true, 1, 2]);
  });

  test('so does one whose signal is over', () => {
    expect(receive(`${HEADER}${bitsNamed('1', '2')}`).rxError).toBe(true);
    expect(receive(`${HEADER}${bitsNamed('1', '2', '/T/')}`).rxError).toBe(true);
  });

  test('carrier that does not begin with J K is false carrier, until ten ones in a row', () => {
    const false1 = receive(`${IDLE}${bitsNamed('5', '5', 'D', 'F')}${IDLE}`);
    expect(false1).toEqual({ nibbles: new Uint8Array(0), rxError: true, falseCarriers: 1 });
    const frame = `${bitsNamed('/J/', '/K/', '5', 'D', '/T/', '/R/')}${IDLE}`;
    expect(receive(`${IDLE}0110${'1'.repeat(8)}${frame}`).nibbles).toEqual(Uint8Array.of(5, 5, 5, 13));
    // With one less the carrier goes on, over the delimiter and to the end of the frame.
    expect(receive(`${IDLE}0110${'1'.repeat(7)}${frame}`).nibbles.length).toBe(0);
  });

  test('two zeros are carrier when they are within ten bits', () => {
    expect(receive(`${IDLE}0${'1'.repeat(8)}0${IDLE}`).falseCarriers).toBe(1);
    expect(receive(`${IDLE}0${'1'.repeat(9)}0${IDLE}`).falseCarriers).toBe(0);
  });

  test('a bad symbol in idle, which makes two neighbouring zeros, is no carrier', () => {
    const received = receive(`${IDLE}00${IDLE}0${HEADER}${bitsNamed('3', '/T/', '/R/')}`);
    expect(received.falseCarriers).toBe(0);
    expect(received.nibbles[16]).toBe(3);
  });

  test('the groups that are no nibble have no nibble’s bits', () => {
    const bits = CODE.map(([, each]) => each);
    expect(new Set(bits).size).toBe(22);
    expect(Object.keys(CONTROL).length).toBe(6);
  });
});
