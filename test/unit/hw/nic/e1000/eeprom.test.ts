import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { E1000Rig } from '../../../../support/e1000-rig.ts';

const { CTRL, CTRL_EXT, EECD, EERD, RAH, RAL } = E1000;

/** Word 3Fh of the image with this address, as an independent sum of the same words gives it. */
const CHECKSUM = 0x79ad;
const WRITE_NS = 5_000_000;

function eerd(rig: E1000Rig, address: number): number {
  rig.write(EERD.at, (address << 8) | EERD.START);
  rig.pass(100_000);
  return rig.read(EERD.at);
}

/** Drives the pins as a driver does. */
class Pins {
  readonly rig: E1000Rig;

  constructor(rig: E1000Rig) {
    this.rig = rig;
    rig.write(EECD.at, EECD.REQ);
    expect(rig.read(EECD.at) & EECD.GNT).toBe(EECD.GNT);
  }

  get dataOut(): number {
    return (this.rig.read(EECD.at) & EECD.DO) === 0 ? 0 : 1;
  }

  select(): void {
    this.rig.write(EECD.at, EECD.REQ | EECD.CS);
  }

  standby(): void {
    this.rig.write(EECD.at, EECD.REQ);
  }

  out(value: number, bits: number): void {
    for (let i = bits - 1; i >= 0; i--) {
      const di = ((value >> i) & 1) === 0 ? 0 : EECD.DI;
      this.rig.write(EECD.at, EECD.REQ | EECD.CS | di);
      this.rig.write(EECD.at, EECD.REQ | EECD.CS | di | EECD.SK);
      this.rig.write(EECD.at, EECD.REQ | EECD.CS | di);
    }
  }

  in(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      this.rig.write(EECD.at, EECD.REQ | EECD.CS | EECD.SK);
      value = (value << 1) | this.dataOut;
      this.rig.write(EECD.at, EECD.REQ | EECD.CS);
    }
    return value;
  }

  read(address: number): number {
    this.select();
    this.out(0b110, 3);
    this.out(address, 6);
    expect(this.dataOut).toBe(0); // the dummy bit
    const word = this.in(16);
    this.standby();
    return word;
  }

  /** A command without data: EWEN 0b00_110000, EWDS 0b00_000000, ERASE 0b11_aaaaaa. */
  command(bits: number): void {
    this.select();
    this.out(0b1_0000_0000 | bits, 9);
    this.standby();
  }

  writeWord(address: number, word: number): void {
    this.select();
    this.out(0b101_000000 | address, 9);
    this.out(word, 16);
    this.standby();
  }
}

describe('the EEPROM, 82540EM manual chapter 5', () => {
  it('words 00h to 3Fh add up to BABAh', () => {
    const rig = new E1000Rig({ link: false });
    const words = Array.from({ length: 64 }, (_, address) => eerd(rig, address) >>> 16);
    expect(words.reduce((sum, word) => sum + word, 0) & 0xffff).toBe(0xbaba);
    expect(words.slice(0, 3)).toEqual([0x5452, 0x1200, 0x5634]);
    expect([words[0x0a], words[0x0f], words[0x24], words[0x3f]]).toEqual([0x6403, 0x3040, 0x4d01, CHECKSUM]);
  });

  it('EERD is done some time after START, and not before', () => {
    const rig = new E1000Rig({ link: false });
    rig.write(EERD.at, EERD.START);
    expect(rig.read(EERD.at)).toBe(EERD.START);
    rig.pass(100_000);
    expect(rig.read(EERD.at)).toBe((0x5452_0000 | EERD.START | EERD.DONE) >>> 0);
  });

  it('EERD without START reads back as written; beyond the last word there are zeros', () => {
    const rig = new E1000Rig({ link: false });
    rig.write(EERD.at, 0x0500);
    rig.pass(100_000);
    expect(rig.read(EERD.at)).toBe(0x0500);
    expect(eerd(rig, 64)).toBe(0x4000 | EERD.START | EERD.DONE);
  });

  it('gives RAL0, RAH0 with AV, and CTRL, at power-on and after CTRL_EXT.EE_RST', () => {
    const rig = new E1000Rig({ link: false });
    rig.write(RAL.at, 0);
    rig.write(RAH.at, 0);
    rig.write(CTRL.at, 0);
    rig.write(CTRL_EXT.at, CTRL_EXT.EE_RST);
    expect([rig.read(RAL.at), rig.read(RAH.at)]).toEqual([0x12005452, 0x80005634]);
    expect([rig.read(CTRL.at), rig.read(CTRL_EXT.at)]).toEqual([CTRL.SLU | CTRL.FD, 0]);
  });
});

describe('the microwire pins, 82540EM manual 13.4.3', () => {
  it('READ gives the same words as EERD', () => {
    const rig = new E1000Rig({ link: false });
    const pins = new Pins(rig);
    for (let address = 0; address < 64; address++) expect(pins.read(address)).toBe(eerd(rig, address) >>> 16);
  });

  it('READ goes on to the next word while CS stays high', () => {
    const pins = new Pins(new E1000Rig({ link: false }));
    pins.select();
    pins.out(0b110_000000, 9);
    expect([pins.in(16), pins.in(16), pins.in(16)]).toEqual([0x5452, 0x1200, 0x5634]);
  });

  it('do nothing before they are granted', () => {
    const rig = new E1000Rig({ link: false });
    rig.write(EECD.at, EECD.CS);
    for (const bit of [1, 1, 0, 0, 0, 0, 0, 0, 0]) {
      rig.write(EECD.at, EECD.CS | (bit === 0 ? 0 : EECD.DI));
      rig.write(EECD.at, EECD.CS | EECD.SK | (bit === 0 ? 0 : EECD.DI));
    }
    expect(rig.read(EECD.at) & (EECD.GNT | EECD.DO)).toBe(EECD.DO);
  });

  it('CS low puts the state machine back to its start, at any bit', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1), { maxLength: 24 }), fc.nat(63), (bits, address) => {
        const pins = new Pins(new E1000Rig({ link: false }));
        pins.select();
        for (const bit of bits) pins.out(bit, 1);
        pins.standby();
        pins.rig.pass(WRITE_NS);
        expect(pins.read(address)).toBe(eerd(pins.rig, address) >>> 16);
      }),
      { numRuns: 50 },
    );
  });

  it('WRITE and ERASE work after EWEN, show busy on DO, and not after EWDS', () => {
    const pins = new Pins(new E1000Rig({ link: false }));
    pins.writeWord(0x10, 0x1234);
    pins.rig.pass(WRITE_NS);
    expect(pins.read(0x10)).toBe(0x0008);
    pins.command(0b00_110000);
    pins.writeWord(0x10, 0x1234);
    pins.select();
    expect(pins.dataOut).toBe(0);
    pins.rig.pass(WRITE_NS);
    expect(pins.dataOut).toBe(1);
    pins.standby();
    expect(pins.read(0x10)).toBe(0x1234);
    pins.command(0b11_010000);
    pins.rig.pass(WRITE_NS);
    expect(pins.read(0x10)).toBe(0xffff);
    pins.command(0b00_000000);
    pins.writeWord(0x10, 1);
    pins.rig.pass(WRITE_NS);
    expect(pins.read(0x10)).toBe(0xffff);
  });

  it('ERAL erases and WRAL writes every word; without its signature the EEPROM is not loaded', () => {
    const rig = new E1000Rig({ link: false });
    const pins = new Pins(rig);
    pins.command(0b00_110000);
    pins.select();
    pins.out(0b100_010000, 9);
    pins.out(0xa5a5, 16);
    pins.standby();
    rig.pass(WRITE_NS);
    expect([pins.read(0), pins.read(63)]).toEqual([0xa5a5, 0xa5a5]);
    pins.command(0b00_100000);
    rig.pass(WRITE_NS);
    expect([pins.read(0), pins.read(63)]).toEqual([0xffff, 0xffff]);
    rig.write(CTRL.at, CTRL.RST);
    expect([rig.read(RAL.at), rig.read(RAH.at), rig.read(CTRL.at)]).toEqual([0, 0, 0x0a09]);
  });
});
