/**
 * A driver and its rings against a model of two queues: what was given to the transmit ring goes out in order, once,
 * and comes back done in order; what arrives and fits comes up in order, once. Any order of doorbells, frames and time.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Frame } from '../../hw/ethernet/frame.ts';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import {
  BROADCAST,
  CMD,
  E1000Rig,
  NIC_MAC,
  octetsTo,
  RX_BUFFER_STRIDE,
  RX_BUFFERS,
  SEND,
} from '../support/e1000-rig.ts';

const { GPRC, MPC, RDT, TDT } = E1000;
const TX_COUNT = 16;
const RX_COUNT = 16;
const DD = 1;

/** The driver: the rings' indexes as software keeps them. */
class Driver {
  readonly rig = new E1000Rig().openTx(TX_COUNT).openRx(RX_COUNT);
  txTail = 0;
  txHead = 0;
  rxNext = 0;
  /** Frames that came up, without FCS. */
  readonly received: Uint8Array[] = [];
}

/** What must be true: how many descriptors are out, and which frames were given and offered. */
interface Model {
  pending: number;
  readonly given: Uint8Array[];
  readonly offered: Uint8Array[];
}

type Command = fc.Command<Model, Driver>;

/** The number of a frame, in its last two octets. */
const numberOf = (octets: Uint8Array): number => octets.at(-2)! * 256 + octets.at(-1)!;

/** Octets as text, which compares much faster. */
const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

function numbered(octets: Uint8Array, number: number): Uint8Array {
  octets.set([number >> 8, number & 255], octets.length - 2);
  return octets;
}

class Send implements Command {
  readonly bytes: number;
  readonly parts: number;

  constructor(bytes: number, parts: number) {
    this.bytes = bytes;
    this.parts = parts;
  }

  check(model: Readonly<Model>): boolean {
    return model.pending + this.parts < TX_COUNT;
  }

  run(model: Model, driver: Driver): void {
    const octets = numbered(octetsTo(BROADCAST, this.bytes, model.given.length), model.given.length);
    const address = driver.rig.txBuffer(driver.txTail, octets);
    for (let part = 0; part < this.parts; part++) {
      const from = Math.floor((part * this.bytes) / this.parts);
      const to = Math.floor(((part + 1) * this.bytes) / this.parts);
      const cmd = part === this.parts - 1 ? SEND : CMD.RS;
      driver.rig.txLegacy(driver.txTail, address + from, to - from, cmd);
      driver.txTail = (driver.txTail + 1) % TX_COUNT;
    }
    driver.rig.write(TDT.at, driver.txTail);
    model.pending += this.parts;
    model.given.push(octets);
  }

  toString = () => `send(${this.bytes} in ${this.parts})`;
}

class Reclaim implements Command {
  check = () => true;

  run(model: Model, driver: Driver): void {
    let done = 0;
    while (done < model.pending && (driver.rig.txStatus(driver.txHead) & DD) !== 0) {
      driver.rig.txLegacy(driver.txHead, 0, 0, 0);
      driver.txHead = (driver.txHead + 1) % TX_COUNT;
      done += 1;
    }
    model.pending -= done;
  }

  toString = () => 'reclaim';
}

class Arrive implements Command {
  readonly wireBytes: number;

  constructor(wireBytes: number) {
    this.wireBytes = wireBytes;
  }

  check = () => true;

  run(model: Model, driver: Driver): void {
    const octets = numbered(octetsTo(NIC_MAC, this.wireBytes - 4), model.offered.length);
    driver.rig.far.send(Frame.withFcs(octets));
    model.offered.push(octets);
  }

  toString = () => `arrive(${this.wireBytes})`;
}

class Poll implements Command {
  readonly budget: number;

  constructor(budget: number) {
    this.budget = budget;
  }

  check = () => true;

  run(_model: Model, driver: Driver): void {
    for (let i = 0; i < this.budget; i++) {
      const index = driver.rxNext;
      if ((driver.rig.rxDescriptor(index).status & DD) === 0) return;
      driver.received.push(driver.rig.rxData(index));
      driver.rig.rxBuffer(index, RX_BUFFERS + index * RX_BUFFER_STRIDE);
      driver.rig.write(RDT.at, index);
      driver.rxNext = (index + 1) % RX_COUNT;
    }
  }

  toString = () => `poll(${this.budget})`;
}

class Pass implements Command {
  readonly ns: number;

  constructor(ns: number) {
    this.ns = ns;
  }

  check = () => true;

  run(_model: Model, driver: Driver): void {
    driver.rig.pass(this.ns);
  }

  toString = () => `pass(${this.ns})`;
}

const commands = [
  fc
    .record({ bytes: fc.integer({ min: 60, max: 1514 }), parts: fc.integer({ min: 1, max: 4 }) })
    .map(({ bytes, parts }) => new Send(bytes, parts)),
  fc.constant(new Reclaim()),
  fc.integer({ min: 64, max: 1518 }).map(wireBytes => new Arrive(wireBytes)),
  fc.integer({ min: 1, max: RX_COUNT }).map(budget => new Poll(budget)),
  fc.integer({ min: 0, max: 30_000 }).map(ns => new Pass(ns)),
];

describe('descriptor rings, 82540EM manual 3.2.6 and 3.4', () => {
  it('carry every frame once and in order, however doorbells, frames and time interleave', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 120, size: 'max' }), sequence => {
        const model: Model = { pending: 0, given: [], offered: [] };
        const driver = new Driver();
        fc.modelRun(() => ({ model, real: driver }), sequence);
        driver.rig.pass(5_000_000);
        new Reclaim().run(model, driver);
        for (let i = 0; i < 8; i++) {
          new Poll(RX_COUNT).run(model, driver);
          driver.rig.pass(1_000_000);
        }
        expect(driver.rig.far.arrivals.map(({ frame }) => text(frame.octets))).toEqual(model.given.map(text));
        expect(model.pending).toBe(0);
        const numbers = driver.received.map(numberOf);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        expect(driver.received.map(text)).toEqual(numbers.map(number => text(model.offered[number]!)));
        const missed = driver.rig.read(MPC.at);
        expect([numbers.length, driver.rig.read(GPRC.at)]).toEqual(new Array(2).fill(model.offered.length - missed));
      }),
      { numRuns: 60 },
    );
  });
});
