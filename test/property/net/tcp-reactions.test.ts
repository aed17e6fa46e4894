/**
 * What a connection makes of one segment: every state, every kind of segment, at every place in and around the window,
 * with every acknowledgement. What must come of it is in {@link reaction}, written down from RFC 9293 section 3.10.7 and
 * RFC 5961 alone; RFC 1337 for TIME-WAIT.
 */
import { describe, expect, test } from 'vitest';
import { MSS, TcpRig } from '../../support/tcp-rig.ts';

const WINDOW = 4096;
/** The right edge of the host's window, which no state moves. */
const EDGE = 1 + WINDOW;

/** The variables of a connection, relative to both ISNs. */
interface Situation {
  readonly rcvNxt: number;
  readonly sndUna: number;
  readonly sndNxt: number;
}

interface Arrival {
  /** Letters of `SFRA`. */
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  readonly dataBytes: number;
}

/** What goes out, `A 2 ack 5`, or '' for nothing; and the state that follows. */
interface Reaction {
  readonly answer: string;
  readonly state: string;
}

const ack = (state: string, seq: number, rcvNxt: number): Reaction => ({ answer: `A ${seq} ack ${rcvNxt}`, state });
const silence = (state: string): Reaction => ({ answer: '', state });
/** RFC 9293 section 3.5.3, group 2: a reset that the sender believes. */
const resetFor = (arrival: Arrival, state: string): Reaction => ({ answer: `R ${arrival.ack} ack 0`, state });

const RECEIVING = ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2'];
const AFTER_ACK_OF_FIN: Readonly<Record<string, string>> = {
  'FIN-WAIT-1': 'FIN-WAIT-2',
  CLOSING: 'TIME-WAIT',
  'LAST-ACK': 'CLOSED',
};
const AFTER_FIN: Readonly<Record<string, string>> = {
  ESTABLISHED: 'CLOSE-WAIT',
  'FIN-WAIT-1': 'CLOSING',
  'FIN-WAIT-2': 'TIME-WAIT',
};

function reaction(state: string, arrival: Arrival, now: Situation): Reaction {
  const { seq, dataBytes } = arrival;
  const has = (flag: string): boolean => arrival.flags.includes(flag);
  if (state === 'SYN-SENT') return synSent(arrival);
  const { rcvNxt, sndNxt } = now;
  const opening = state.startsWith('SYN-RECEIVED');
  // TIME-WAIT: a SYN above all that the old connection has used opens a new one.
  if (state === 'TIME-WAIT' && has('S') && !has('A') && seq >= rcvNxt) {
    return { answer: `SA 0 ack ${seq + 1}`, state: 'SYN-RECEIVED' };
  }
  // The peer's SYN once more, with its own number: our answer was lost, or, with an ACK, both have opened.
  const again = opening && has('S') && seq === rcvNxt - 1;
  if (again && !has('A')) return { answer: `SA 0 ack ${rcvNxt}`, state: 'SYN-RECEIVED' };
  const length = dataBytes + (has('S') ? 1 : 0) + (has('F') ? 1 : 0);
  const inside = (number: number): boolean => number >= rcvNxt && number < EDGE;
  const acceptable = inside(seq) || (length > 0 && inside(seq + length - 1));
  const same = opening ? 'SYN-RECEIVED' : state;
  if (!acceptable && !again) return has('R') ? silence(same) : ack(same, sndNxt, rcvNxt);
  if (has('R')) {
    if (state === 'TIME-WAIT') return silence(state);
    return seq === rcvNxt ? silence('CLOSED') : ack(same, sndNxt, rcvNxt);
  }
  if (has('S') && !again) return state === 'SYN-RECEIVED' ? silence('CLOSED') : ack(same, sndNxt, rcvNxt);
  if (!has('A')) return silence(same);
  if (opening) {
    if (arrival.ack <= now.sndUna || arrival.ack > sndNxt) return resetFor(arrival, 'SYN-RECEIVED');
    return again ? ack('ESTABLISHED', sndNxt, rcvNxt) : textAndFin('ESTABLISHED', arrival, now);
  }
  if (arrival.ack > sndNxt) return ack(state, sndNxt, rcvNxt);
  return textAndFin(arrival.ack === sndNxt ? (AFTER_ACK_OF_FIN[state] ?? state) : state, arrival, now);
}

/** Section 3.10.7.3. */
function synSent(arrival: Arrival): Reaction {
  const has = (flag: string): boolean => arrival.flags.includes(flag);
  if (has('A') && arrival.ack !== 1) return has('R') ? silence('SYN-SENT') : resetFor(arrival, 'SYN-SENT');
  if (has('R')) return silence(has('A') ? 'CLOSED' : 'SYN-SENT');
  if (!has('S')) return silence('SYN-SENT');
  if (has('A')) return ack('ESTABLISHED', 1, arrival.seq + 1);
  return { answer: `SA 0 ack ${arrival.seq + 1}`, state: 'SYN-RECEIVED' };
}

/** The seventh and the eighth step. */
function textAndFin(state: string, { flags, seq, dataBytes }: Arrival, { rcvNxt, sndNxt }: Situation): Reaction {
  const fin = flags.includes('F');
  const repeated = seq < rcvNxt && dataBytes > 0;
  if (state === 'CLOSED') return silence(state);
  // Nobody takes any data more; that some were cut off, the sender is told as ever.
  const cut = repeated || seq + dataBytes > EDGE;
  if (!RECEIVING.includes(state)) return cut ? ack(state, sndNxt, rcvNxt) : silence(state);
  // Behind a hole all is acknowledged at once.
  if (seq > rcvNxt) return dataBytes > 0 || fin ? ack(state, sndNxt, rcvNxt) : silence(state);
  const next = Math.max(rcvNxt, seq + dataBytes);
  if (fin) return ack(AFTER_FIN[state]!, sndNxt, next + 1);
  // In order, and less than two full segments: the ACK is delayed, unless a part had come before.
  return repeated ? ack(state, sndNxt, next) : silence(state);
}

const SITUATIONS: Readonly<Record<string, Situation & { readonly reach: (rig: TcpRig) => void }>> = {
  'SYN-SENT': { rcvNxt: 1, sndUna: 0, sndNxt: 1, reach: rig => rig.connect({ receiveBufferBytes: WINDOW }) },
  'SYN-RECEIVED': {
    rcvNxt: 1,
    sndUna: 0,
    sndNxt: 1,
    reach: rig => {
      rig.listen({ receiveBufferBytes: WINDOW });
      rig.send({ flags: 'S', seq: 0, options: MSS(1460) });
    },
  },
  'SYN-RECEIVED by simultaneous open': {
    rcvNxt: 1,
    sndUna: 0,
    sndNxt: 1,
    reach: rig => {
      rig.connect({ receiveBufferBytes: WINDOW });
      rig.drain();
      rig.send({ flags: 'S', seq: 0, options: MSS(1460) });
    },
  },
  ESTABLISHED: { rcvNxt: 1, sndUna: 1, sndNxt: 1, reach: rig => rig.accepted({ receiveBufferBytes: WINDOW }) },
  'FIN-WAIT-1': {
    rcvNxt: 1,
    sndUna: 1,
    sndNxt: 2,
    reach: rig => rig.accepted({ receiveBufferBytes: WINDOW }).shutdownWrite(),
  },
  'FIN-WAIT-2': {
    rcvNxt: 1,
    sndUna: 2,
    sndNxt: 2,
    reach: rig => {
      rig.accepted({ receiveBufferBytes: WINDOW }).shutdownWrite();
      rig.send({ ack: 2 });
    },
  },
  'CLOSE-WAIT': {
    rcvNxt: 2,
    sndUna: 1,
    sndNxt: 1,
    reach: rig => {
      rig.accepted({ receiveBufferBytes: WINDOW });
      rig.send({ flags: 'FA' });
    },
  },
  CLOSING: {
    rcvNxt: 2,
    sndUna: 1,
    sndNxt: 2,
    reach: rig => {
      rig.accepted({ receiveBufferBytes: WINDOW }).shutdownWrite();
      rig.send({ flags: 'FA' });
    },
  },
  'LAST-ACK': {
    rcvNxt: 2,
    sndUna: 1,
    sndNxt: 2,
    reach: rig => {
      const connection = rig.accepted({ receiveBufferBytes: WINDOW });
      rig.send({ flags: 'FA' });
      connection.shutdownWrite();
    },
  },
  'TIME-WAIT': {
    rcvNxt: 2,
    sndUna: 2,
    sndNxt: 2,
    reach: rig => {
      rig.accepted({ receiveBufferBytes: WINDOW }).shutdownWrite();
      rig.send({ flags: 'FA', ack: 2 });
    },
  },
};

const KINDS: readonly (readonly [string, number])[] = [
  ['S', 0],
  ['SA', 0],
  ['A', 0],
  ['R', 0],
  ['RA', 0],
  ['F', 0],
  ['FA', 0],
  ['A', 2],
  ['FA', 2],
  ['', 2],
];

function arrivals({ rcvNxt, sndUna, sndNxt }: Situation): Arrival[] {
  const places = new Set([rcvNxt - 1, rcvNxt, rcvNxt + 1, EDGE - 1, EDGE, EDGE + 1]);
  const acks = new Set([sndUna, sndNxt, sndNxt + 1]);
  return KINDS.flatMap(([flags, dataBytes]) =>
    [...places].flatMap(seq =>
      [...(flags.includes('A') ? acks : [0])].map(number => ({ flags, seq, ack: number, dataBytes })),
    ),
  );
}

const text = ({ flags, seq, ack: number, dataBytes }: Arrival): string =>
  `${flags || '-'} ${seq}(${dataBytes}) ack ${number}`;

describe('every segment, at every place around the window, with every ACK', () => {
  test.each(Object.keys(SITUATIONS))('in %s', state => {
    const situation = SITUATIONS[state]!;
    const wanted: string[] = [];
    const got: string[] = [];
    for (const arrival of arrivals(situation)) {
      const { answer, state: next } = reaction(state, arrival, situation);
      wanted.push(`${text(arrival)}: ${answer}; ${next}`);
      const rig = new TcpRig();
      situation.reach(rig);
      rig.settle();
      rig.drain();
      const { flags, seq, dataBytes } = arrival;
      rig.send({ flags, seq, data: new Uint8Array(dataBytes), ...(flags.includes('A') ? { ack: arrival.ack } : {}) });
      const sent = rig.drain().map(each => `${each.flags} ${each.seq} ack ${each.ack}`);
      const after = rig.tcp.connections().find(each => each.state !== 'LISTEN')?.state ?? 'CLOSED';
      got.push(`${text(arrival)}: ${sent.join(', ')}; ${after}`);
    }
    expect(got).toEqual(wanted);
  });
});
