/**
 * Register accesses through the bus: the e1000, whose registers are declared, against a device with a hand-written
 * `switch` over the same offsets. Both are reached through the same bus and hart, as a driver reaches them.
 */
import { type AccessSize, Bus, type BusDevice } from '../../hw/bus/bus.ts';
import { Ram } from '../../hw/bus/ram.ts';
import { NativeHart } from '../../hw/cpu/native/native-hart.ts';
import { E1000Nic } from '../../hw/nic/e1000/e1000.ts';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import type { Variant } from './paired.ts';

const BASE = 0x4000_0000;
const ACCESSES = 100_000;
const FREE = { readNs: 0, writeNs: 0 };
const { CTRL, STATUS, ICR, IMS, IMC, RCTL, TCTL, TIPG, RDBAL, RDLEN, RDH, RDT, TDBAL, TDLEN, TDH, TDT, RDTR } = E1000;

/** What a driver does all day: reads and writes of registers that have no expensive effect. */
const TRACE: readonly (readonly [write: boolean, offset: number, value: number])[] = [
  [false, ICR.at, 0],
  [true, IMC.at, 0xd1],
  [true, IMS.at, 0xd1],
  [false, STATUS.at, 0],
  [true, RDTR.at, 0],
  [false, RDH.at, 0],
  [false, TDH.at, 0],
  [true, TIPG.at, 0x0060_200a],
  [false, CTRL.at, 0],
  [false, RDT.at, 0],
];

export function registerVariants(): Variant[] {
  return [access('declared registers', nic()), access('hand-written switch', new SwitchDevice())];
}

function nic(): BusDevice {
  return new E1000Nic(new Clock(), new Ram(0x8000_0000, 4096), new Prng('bench'), new Uint8Array(6));
}

function access(name: string, device: BusDevice): Variant {
  const bus = new Bus();
  bus.map(BASE, 0x2_0000, device, FREE);
  const hart = new NativeHart(new Clock(), bus, 0, 0);
  let sink = 0;
  const pass = () => {
    hart.runSlice();
    for (let i = 0; i < ACCESSES / TRACE.length; i++) {
      for (const [write, offset, value] of TRACE) {
        if (write) hart.write32(BASE + offset, value);
        else sink ^= hart.read32(BASE + offset);
      }
    }
  };
  hart.start({ boot: () => {}, step: () => sink > 0 && false, trap: () => {} });
  return { name, operations: ACCESSES, run: pass };
}

/** The same registers as fields, without anything behind them. */
class SwitchDevice implements BusDevice {
  readonly name = 'switch';
  #ctrl = 0;
  #icr = 0;
  #ims = 0;
  #rctl = 0;
  #tctl = 0;
  #tipg = 0;
  #rdtr = 0;
  #rdbal = 0;
  #rdlen = 0;
  #rdh = 0;
  #rdt = 0;
  #tdbal = 0;
  #tdlen = 0;
  #tdh = 0;
  #tdt = 0;

  read(offset: number, _size: AccessSize): number {
    switch (offset) {
      case CTRL.at:
        return this.#ctrl;
      case STATUS.at:
        return 0x8000_0783 | 0;
      case ICR.at: {
        const causes = this.#icr;
        this.#icr = 0;
        return causes;
      }
      case IMS.at:
        return this.#ims;
      case RCTL.at:
        return this.#rctl;
      case TCTL.at:
        return this.#tctl;
      case TIPG.at:
        return this.#tipg;
      case RDTR.at:
        return this.#rdtr;
      case RDBAL.at:
        return this.#rdbal;
      case RDLEN.at:
        return this.#rdlen;
      case RDH.at:
        return this.#rdh;
      case RDT.at:
        return this.#rdt;
      case TDBAL.at:
        return this.#tdbal;
      case TDLEN.at:
        return this.#tdlen;
      case TDH.at:
        return this.#tdh;
      case TDT.at:
        return this.#tdt;
      default:
        return 0;
    }
  }

  write(offset: number, _size: AccessSize, value: number): void {
    switch (offset) {
      case CTRL.at:
        this.#ctrl = value;
        break;
      case ICR.at:
        this.#icr &= ~value;
        break;
      case IMS.at:
        this.#ims |= value;
        break;
      case IMC.at:
        this.#ims &= ~value;
        break;
      case RCTL.at:
        this.#rctl = value;
        break;
      case TCTL.at:
        this.#tctl = value;
        break;
      case TIPG.at:
        this.#tipg = value & 0x3fff_ffff;
        break;
      case RDTR.at:
        this.#rdtr = value & 0xffff;
        break;
      case RDBAL.at:
        this.#rdbal = value & ~15;
        break;
      case RDLEN.at:
        this.#rdlen = value & 0xf_ff80;
        break;
      case RDH.at:
        this.#rdh = value & 0xffff;
        break;
      case RDT.at:
        this.#rdt = value & 0xffff;
        break;
      case TDBAL.at:
        this.#tdbal = value & ~15;
        break;
      case TDLEN.at:
        this.#tdlen = value & 0xf_ff80;
        break;
      case TDH.at:
        this.#tdh = value & 0xffff;
        break;
      case TDT.at:
        this.#tdt = value & 0xffff;
        break;
    }
  }
}
