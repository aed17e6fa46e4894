/**
 * The ARP cache against a model of four neighbours: for each whether it is known, since when, and what waits for it.
 * The model knows nothing of timers and tables, only what RFC 826 and RFC 1122 section 2.3.2 promise.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIpv4 } from '../../src/lib/bytes.ts';
import { HOST, NetRig, SECOND_NS } from '../support/net-rig.ts';

const NEIGHBOURS = [2, 3, 4, 5];
const MINUTE_NS = 60 * SECOND_NS;
const addressOf = (n: number) => `192.0.2.${n}`;
const macOf = (n: number, card: number) => `52:54:00:00:0${card}:0${n}`;

interface Neighbour {
  /** The card last heard of; null while the address is not known. */
  card: number | null;
  heardNs: number;
  /** When a request for it was last sent. */
  askedNs: number;
  asked: number;
  waiting: number[];
}

class Model {
  readonly neighbours = new Map<number, Neighbour>();
  mark = 0;
}

interface Real {
  readonly rig: NetRig;
  readonly send: (n: number, mark: number) => void;
}

/** What was sent: requests by neighbour, and datagrams as mark and hardware address. */
function drain(real: Real): { readonly requests: number[]; readonly datagrams: [mark: number, mac: string][] } {
  const requests: number[] = [];
  const datagrams: [number, string][] = [];
  for (const octets of real.rig.driver.sent.splice(0)) {
    const mac = Array.from(octets.subarray(0, 6), byte => byte.toString(16).padStart(2, '0')).join(':');
    if (octets[13] === 6 && octets[21] === 1) requests.push(octets[41]!);
    else if (octets[13] === 0) datagrams.push([octets[42]!, mac]);
  }
  return { requests, datagrams };
}

/** Requests for one address are never less than a second apart. */
function noteRequests(model: Model, requests: readonly number[], nowNs: number): void {
  for (const n of requests) {
    const neighbour = model.neighbours.get(n)!;
    expect(nowNs - neighbour.askedNs).toBeGreaterThanOrEqual(SECOND_NS);
    neighbour.askedNs = nowNs;
    neighbour.asked += 1;
  }
}

function neighbourOf(model: Model, n: number): Neighbour {
  const neighbour = model.neighbours.get(n);
  if (neighbour !== undefined) return neighbour;
  const fresh = { card: null, heardNs: 0, askedNs: Number.NEGATIVE_INFINITY, asked: 0, waiting: [] };
  model.neighbours.set(n, fresh);
  return fresh;
}

class Send implements fc.Command<Model, Real> {
  readonly n: number;
  constructor(n: number) {
    this.n = n;
  }

  check = () => true;

  run(model: Model, real: Real): void {
    const neighbour = neighbourOf(model, this.n);
    const mark = model.mark++ & 0xff;
    real.send(this.n, mark);
    const { requests, datagrams } = drain(real);
    noteRequests(model, requests, real.rig.nowNs());
    if (neighbour.card !== null) {
      expect(datagrams).toEqual([[mark, macOf(this.n, neighbour.card)]]);
      return;
    }
    expect(datagrams).toEqual([]);
    neighbour.waiting.push(mark);
    if (neighbour.waiting.length > 4) neighbour.waiting.shift();
  }

  toString = () => `send to ${this.n}`;
}

class Hear implements fc.Command<Model, Real> {
  readonly n: number;
  readonly card: number;
  readonly forMe: boolean;
  readonly opcode: number;
  constructor(n: number, card: number, forMe: boolean, opcode: number) {
    this.n = n;
    this.card = card;
    this.forMe = forMe;
    this.opcode = opcode;
  }

  check = () => true;

  run(model: Model, real: Real): void {
    const { n, card, opcode } = this;
    const target = this.forMe ? HOST : addressOf(99);
    const present = real.rig.net.arpTable(0).some(row => row.address === parseIpv4(addressOf(n)));
    real.rig.injectArp({ opcode, senderMac: macOf(n, card), sender: addressOf(n), target });
    const { requests, datagrams } = drain(real);
    expect(requests).toEqual([]);
    if (!present && !this.forMe) return;
    const neighbour = neighbourOf(model, n);
    neighbour.card = card;
    neighbour.heardNs = real.rig.nowNs();
    neighbour.asked = 0;
    expect(datagrams).toEqual(neighbour.waiting.map(mark => [mark, macOf(n, card)]));
    neighbour.waiting = [];
  }

  toString = () =>
    `hear ${this.opcode === 1 ? 'request' : 'reply'} of ${this.n} card ${this.card}${this.forMe ? ' for me' : ''}`;
}

class Pass implements fc.Command<Model, Real> {
  readonly seconds: number;
  constructor(seconds: number) {
    this.seconds = seconds;
  }

  check = () => true;

  run(model: Model, real: Real): void {
    for (let second = 0; second < this.seconds; second++) {
      real.rig.advance(SECOND_NS);
      const { requests, datagrams } = drain(real);
      noteRequests(model, requests, real.rig.nowNs());
      expect(datagrams).toEqual([]);
      this.#compare(model, real);
    }
  }

  /** What the table says now is what the model allows, and what it forgot was silent for long enough. */
  #compare(model: Model, real: Real): void {
    const nowNs = real.rig.nowNs();
    const rows = new Map(real.rig.net.arpTable(0).map(row => [row.address & 0xff, row]));
    for (const [n, neighbour] of model.neighbours) {
      const row = rows.get(n);
      const ageNs = nowNs - neighbour.heardNs;
      if (neighbour.card !== null && ageNs < MINUTE_NS) expect(row?.state).toBe('reachable');
      if (row === undefined) this.#forget(neighbour);
      else if (neighbour.card !== null) expect(row.mac).toBe(macOf(n, neighbour.card));
      else expect(row.waiting).toBe(neighbour.waiting.length);
      expect(neighbour.asked).toBeLessThanOrEqual(3);
    }
  }

  /** An address that was never answered for was asked for three times; its packets were given up. */
  #forget(neighbour: Neighbour): void {
    if (neighbour.waiting.length > 0) expect(neighbour.asked).toBe(3);
    neighbour.card = null;
    neighbour.asked = 0;
    neighbour.waiting = [];
  }

  toString = () => `pass ${this.seconds} s`;
}

test('the cache does what the model does', () => {
  const neighbour = fc.constantFrom(...NEIGHBOURS);
  const commands = [
    neighbour.map(n => new Send(n)),
    fc
      .tuple(neighbour, fc.integer({ min: 1, max: 2 }), fc.boolean(), fc.constantFrom(1, 2))
      .map(([n, card, forMe, opcode]) => new Hear(n, card, forMe, opcode)),
    fc.constantFrom(1, 1, 2, 3, 30, 59, 60, 61).map(seconds => new Pass(seconds)),
  ];
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 40 }), steps => {
      const rig = new NetRig();
      const socket = rig.net.sockets.socket('udp');
      const send = (n: number, mark: number) => socket.sendto(Uint8Array.of(mark), parseIpv4(addressOf(n)), 9);
      fc.modelRun(() => ({ model: new Model(), real: { rig, send } }), steps);
      rig.advance(200 * SECOND_NS);
      expect(rig.net.arpTable(0)).toEqual([]);
      rig.expectNoLeak();
    }),
  );
});
