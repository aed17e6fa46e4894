/** What the filter lets through of a TCP connection between the inside and the outside, and what state it is in then. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  FilterDialogue,
  rulesOf,
  type SegmentFields,
  type Side,
  STATEFUL,
} from '../../../../support/filter-dialogue.ts';
import { SECOND_NS } from '../../../../support/net-rig.ts';

let rig: FilterDialogue;
beforeEach(() => {
  rig = new FilterDialogue(rulesOf(STATEFUL));
});

/** Whether each of these goes through. */
const goThrough = (...segments: readonly (readonly [Side, SegmentFields])[]): boolean[] =>
  segments.map(([side, fields]) => rig.segment(side, fields));
/** The state is this one as long as the connection is remembered for just so many seconds of silence. */
function expectForgottenAfter(seconds: number): void {
  rig.advance((seconds - 1) * SECOND_NS);
  expect(rig.tracker.flows()[0]!.dueNs).toBeGreaterThan(rig.nowNs());
  rig.advance(2 * SECOND_NS);
  expect(rig.tracker.flows()[0]?.dueNs ?? 0).toBeLessThanOrEqual(rig.nowNs());
}

describe('FW-1 the opening of a connection', () => {
  test('may be asked for again, also with a new number, as long as nobody has answered', () => {
    expect(
      goThrough(
        ['inside', { flags: 'S', seq: 100 }],
        ['inside', { flags: 'S', seq: 100 }],
        ['inside', { flags: 'S', seq: 50 }],
        ['outside', { flags: 'SA', seq: 500, ack: 51 }],
        ['outside', { flags: 'SA', seq: 500, ack: 51 }],
        ['inside', { flags: 'A', seq: 51, ack: 501 }],
      ),
    ).toEqual([true, true, true, true, true, true]);
    expect(rig.tcpState).toBe('ESTABLISHED');
    expect(rig.tracker.flows()).toHaveLength(1);
  });

  test('may be done by both at once (RFC 9293 section 3.5, figure 7)', () => {
    expect(
      goThrough(
        ['inside', { flags: 'S', seq: 100 }],
        ['outside', { flags: 'S', seq: 500 }],
        ['inside', { flags: 'SA', seq: 100, ack: 501 }],
        ['outside', { flags: 'SA', seq: 500, ack: 101 }],
      ),
    ).toEqual([true, true, true, true]);
    expect(rig.tcpState).toBe('ESTABLISHED');
    expectForgottenAfter(7440);
  });

  test('is refused by a reset that acknowledges the SYN, and by no other', () => {
    rig.segment('inside', { flags: 'S', seq: 100 });
    expect(rig.segment('outside', { flags: 'R', seq: 0 })).toBe(true);
    expect(rig.segment('outside', { flags: 'RA', seq: 0, ack: 90 })).toBe(true);
    expect(rig.segment('outside', { flags: 'RA', seq: 0, ack: 102 })).toBe(false);
    expect(rig.tcpState).toBe('SYN-SENT');
    expect(rig.segment('outside', { flags: 'RA', seq: 0, ack: 101 })).toBe(true);
    expect(rig.tcpState).toBe('CLOSED');
  });

  test('after which no answer comes is forgotten after two minutes', () => {
    rig.segment('inside', { flags: 'S', seq: 100 });
    expectForgottenAfter(120);
    expect(rig.segment('outside', { flags: 'SA', seq: 500, ack: 101 })).toBe(false);
  });

  test('by one that has lost its memory passes, and is the other end to answer (RFC 9293 figure 9)', () => {
    rig.handshake();
    expect(
      goThrough(
        ['inside', { flags: 'S', seq: 70_000 }],
        ['outside', { flags: 'A', seq: 501, ack: 101 }],
        ['inside', { flags: 'R', seq: 101 }],
        ['inside', { flags: 'S', seq: 70_000 }],
        ['outside', { flags: 'SA', seq: 9000, ack: 70_001 }],
      ),
    ).toEqual([true, true, true, true, true]);
    expect(rig.tcpState).toBe('SYN-RECEIVED');
  });
});

describe('FW-1 in an established connection', () => {
  beforeEach(() => rig.handshake());

  test('what fills the window passes, with a FIN behind it, and one octet more does not', () => {
    expect(
      goThrough(
        ['outside', { flags: 'A', seq: 501, ack: 101, data: 1001 }],
        ['outside', { flags: 'A', seq: 501, ack: 101, data: 1000 }],
        ['outside', { flags: 'FA', seq: 1501, ack: 101 }],
      ),
    ).toEqual([false, true, true]);
    expect(rig.tcpState).toBe('FIN-WAIT');
  });

  test('a retransmission passes, from the first octet that may be missing', () => {
    expect(
      goThrough(
        ['outside', { flags: 'A', seq: 501, ack: 101, data: 1000 }],
        ['outside', { flags: 'A', seq: 501, ack: 101, data: 500 }],
        ['outside', { flags: 'A', seq: 500, ack: 101, data: 500 }],
      ),
    ).toEqual([true, true, false]);
  });

  test('a keep-alive, one octet before the next, passes, and so does its answer', () => {
    expect(
      goThrough(['outside', { flags: 'A', seq: 500, ack: 101 }], ['inside', { flags: 'A', seq: 101, ack: 501 }]),
    ).toEqual([true, true]);
  });

  test('a closed window is probed by one octet', () => {
    expect(
      goThrough(
        ['outside', { flags: 'A', seq: 501, ack: 101, data: 1000 }],
        ['inside', { flags: 'A', seq: 101, ack: 1501, window: 0 }],
        ['outside', { flags: 'A', seq: 1501, ack: 101, data: 2 }],
        ['outside', { flags: 'A', seq: 1501, ack: 101, data: 1 }],
        ['inside', { flags: 'A', seq: 101, ack: 1501, window: 1000 }],
        ['outside', { flags: 'A', seq: 1501, ack: 101, data: 1000 }],
      ),
    ).toEqual([true, true, false, true, true, true]);
  });

  test('a window that shrinks takes back nothing that was allowed', () => {
    expect(
      goThrough(
        ['inside', { flags: 'A', seq: 101, ack: 501, window: 10 }],
        ['outside', { flags: 'A', seq: 501, ack: 101, data: 1000 }],
      ),
    ).toEqual([true, true]);
  });

  test('a header that is longer than the segment, or shorter than a header, is invalid', () => {
    for (const offset of [0x40, 0x60, 0xf0]) {
      const segment = [0x00, 0x50, 0x0f, 0xa0, 0, 0, 1, 0xf5, 0, 0, 0, 101, offset, 0x10, 3, 0xe8, 0, 0, 0, 0];
      rig.send('outside', 6, segment);
      expect(rig.passed('outside')).toBe(false);
    }
  });

  test('a reset shortens its life to ten seconds', () => {
    expect(rig.segment('outside', { flags: 'R', seq: 501 })).toBe(true);
    expectForgottenAfter(10);
  });

  test('a reset that its receiver does not believe passes, and so does what the receiver says to it (RFC 5961)', () => {
    expect(rig.segment('outside', { flags: 'R', seq: 900 })).toBe(true);
    expect(rig.segment('inside', { flags: 'A', seq: 101, ack: 501 })).toBe(true);
    expect(rig.tcpState).toBe('ESTABLISHED');
    expectForgottenAfter(7440);
  });

  test('a SYN that no rule lets in does not take the place of what was reset', () => {
    rig.segment('outside', { flags: 'R', seq: 900 });
    expect(rig.segment('outside', { flags: 'S', seq: 7 })).toBe(false);
    expect(rig.segment('inside', { flags: 'A', seq: 101, ack: 501, data: 3 })).toBe(true);
    expect(rig.tcpState).toBe('ESTABLISHED');
  });

  test('a FIN that is sent again changes nothing, and what crosses 2^32 no more', () => {
    const near = new FilterDialogue(rulesOf(STATEFUL));
    expect(near.segment('inside', { flags: 'S', seq: 2 ** 32 - 3 })).toBe(true);
    expect(near.segment('outside', { flags: 'SA', seq: 2 ** 32 - 1, ack: 2 ** 32 - 2 })).toBe(true);
    expect(near.segment('inside', { flags: 'FA', seq: 2 ** 32 - 2, ack: 0, data: 5 })).toBe(true);
    expect(near.segment('inside', { flags: 'FA', seq: 2 ** 32 - 2, ack: 0, data: 5 })).toBe(true);
    expect(near.segment('outside', { flags: 'FA', seq: 0, ack: 3 })).toBe(true);
    expect(near.tcpState).toBe('CLOSING');
    expect(near.segment('outside', { flags: 'FA', seq: 0, ack: 4 })).toBe(true);
    expect(near.segment('inside', { flags: 'A', seq: 4, ack: 1 })).toBe(true);
    expect(near.tcpState).toBe('TIME-WAIT');
  });
});
