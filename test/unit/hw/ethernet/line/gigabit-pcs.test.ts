import { describe, expect, test } from 'vitest';
import { encodeGroup } from '../../../../../hw/ethernet/line/eight-b-ten-b.ts';
import { decodeFrame, encodeFrame, orderedSetName } from '../../../../../hw/ethernet/line/gigabit-pcs.ts';
import { gigabitGroups } from '../../../../../hw/ethernet/line/line-code.ts';
import { unitsOf } from '../../../../../hw/ethernet/line/mii.ts';
import { ARP_REQUEST } from '../../../../support/line.ts';

const names = (codes: Uint16Array) => [...codes].map(orderedSetName);
const bitsOfGroups = (groups: Iterable<number>) =>
  Uint8Array.from([...groups].flatMap(group => Array.from({ length: 10 }, (_, i) => (group >>> (9 - i)) & 1)));
const FRAME = unitsOf(ARP_REQUEST.wire(), 8);
const LEAD_SETS = 4;
const groupsOf = (octets: Uint8Array) => encodeFrame(octets, LEAD_SETS, 3, -1).groups;
const FRAME_AT = 2 * LEAD_SETS;

describe('the PCS of 1000BASE-X, clause 36', () => {
  test('sends /S/ for the first octet of the preamble, /T/ and /R/ behind the FCS', () => {
    const sent = names(gigabitGroups(ARP_REQUEST.wire()).codes).join(' ');
    expect(sent).toMatch(/^(K28\.5 D16\.2 ){6}\/S\/ (D21\.2 ){6}D21\.6 (D31\.7 ){6}D2\.0 /);
    expect(sent).toMatch(/ D13\.5 D13\.4 D8\.4 D0\.2 \/T\/ \/R\/ K28\.5 D(5\.6|16\.2) K28\.5 D16\.2$/);
  });

  test('keeps commas on even places: a frame of odd length ends in /T/R/R/', () => {
    for (let length = 8; length < 30; length++) {
      const { codes } = encodeFrame(FRAME.subarray(0, length), LEAD_SETS, 2, -1);
      const sent = names(codes);
      expect(sent.slice(FRAME_AT + length, -4)).toEqual(length % 2 === 0 ? ['/T/', '/R/'] : ['/T/', '/R/', '/R/']);
      sent.forEach((name, i) => {
        if (name === 'K28.5') expect(i % 2).toBe(0);
      });
    }
  });

  test('begins idle with /I1/ when the disparity is positive, so that it is negative from then on', () => {
    expect(names(encodeFrame(FRAME, 3, 1, 1).codes).slice(0, 6)).toEqual([
      ...['K28.5', 'D5.6'],
      ...['K28.5', 'D16.2'],
      ...['K28.5', 'D16.2'],
    ]);
  });
});

describe('its receiver', () => {
  test('finds the groups at any offset, whatever the bits before the first comma', () => {
    const sent = bitsOfGroups(groupsOf(FRAME));
    for (let offset = 0; offset < 25; offset++) {
      const received = Uint8Array.from([...Array.from({ length: offset }, (_, i) => i & 1), ...sent]);
      expect(decodeFrame(received)).toEqual({ octets: FRAME, rxError: false });
    }
  });

  test('is not misled by two commas forty bits apart: it wants the one between, too', () => {
    const misleading = `0011111${'01'.repeat(16)}00011111${'01'.repeat(9)}`;
    const received = Uint8Array.from([...misleading].map(Number).concat(...bitsOfGroups(groupsOf(FRAME))));
    expect(decodeFrame(received)).toEqual({ octets: FRAME, rxError: false });
  });

  test('a bad group in a frame raises RX_ER, and the frame goes on', () => {
    const groups = groupsOf(FRAME);
    groups[FRAME_AT + 20] = 0b1111111111;
    const { octets, rxError } = decodeFrame(bitsOfGroups(groups));
    expect([rxError, octets.length]).toEqual([true, FRAME.length]);
    const wrong = [...octets.keys()].filter(i => octets[i] !== FRAME[i]);
    expect(wrong).toContain(20);
    expect(wrong.every(i => i === 20 || i === 21 || i === 22)).toBe(true);
  });

  test('/V/, which a repeater sends in place of what it misheard, raises RX_ER', () => {
    const groups = groupsOf(FRAME);
    const codes = encodeFrame(FRAME, LEAD_SETS, 3, -1).codes;
    codes[FRAME_AT + 30] = 0x1fe;
    let disparity: -1 | 1 = -1;
    const balance = (group: number) => [...group.toString(2)].filter(bit => bit === '1').length - 5;
    codes.forEach((code, i) => {
      groups[i] = encodeGroup(code, disparity);
      if (balance(groups[i]!) !== 0) disparity = -disparity as -1 | 1;
    });
    const { octets, rxError } = decodeFrame(bitsOfGroups(groups));
    expect([rxError, octets.length]).toEqual([true, FRAME.length]);
    expect([...octets.keys()].filter(i => octets[i] !== FRAME[i])).toEqual([30]);
  });

  test('a frame that falls into idle without /T/ ended too early: RX_ER', () => {
    const groups = [...groupsOf(FRAME)];
    groups.splice(FRAME_AT + 40, FRAME.length - 40 + 2);
    const { octets, rxError } = decodeFrame(bitsOfGroups(groups));
    expect([rxError, octets.length]).toEqual([true, 40]);
  });

  test('so does one whose signal is over', () => {
    const { octets, rxError } = decodeFrame(bitsOfGroups(groupsOf(FRAME).subarray(0, FRAME_AT + 25)));
    expect([rxError, octets.length]).toEqual([true, 25]);
  });

  test('gives a frame up when bad groups come faster than good ones make up for', () => {
    const spoilt = (...places: number[]) => {
      const groups = groupsOf(FRAME);
      for (const place of places) groups[FRAME_AT + place] = place % 2 ? 0b1111111111 : 0;
      return decodeFrame(bitsOfGroups(groups)).octets.length;
    };
    expect(spoilt(20)).toBe(FRAME.length);
    expect(spoilt(20, 21, 22, 23)).toBe(24);
    expect(spoilt(10, 22, 34, 46, 58)).toBe(FRAME.length);
  });

  test('sees no frame without commas, or without /S/', () => {
    expect(decodeFrame(bitsOfGroups(groupsOf(FRAME).subarray(FRAME_AT))).octets.length).toBe(0);
    expect(decodeFrame(new Uint8Array(5000)).octets.length).toBe(0);
    const groups = groupsOf(FRAME);
    groups[FRAME_AT] = groups[FRAME_AT]! ^ 0b11;
    expect(decodeFrame(bitsOfGroups(groups)).octets.length).toBe(0);
  });
});
