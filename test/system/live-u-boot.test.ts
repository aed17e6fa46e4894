/**
 * The scenario `lab` live against U-Boot, in QEMU's RISC-V machine with QEMU's e1000: a second IPv4 stack and a second
 * driver that nobody here has written. Then the same run again from the journal.
 */
import { spawn } from 'node:child_process';
import { accessSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { requirement, requireTool } from '../support/require-tool.ts';
import { LiveProcess, ringtail } from '../support/ringtail-process.ts';
import { until } from '../support/stream-peer.ts';
import { faultyFrames, framesOf } from '../support/tshark.ts';

const U_BOOT = '/usr/lib/u-boot/qemu-riscv64/u-boot.bin';
const EMULATED = '192.0.2.2';

/** U-Boot on a machine whose NIC is plugged into the wire socket, and its console. */
class UBoot {
  console = '';
  readonly #qemu;

  constructor(socketPath: string) {
    const machine = [
      '-machine',
      'virt',
      '-m',
      '256M',
      '-smp',
      '1',
      '-nographic',
      '-monitor',
      'none',
      '-serial',
      'stdio',
    ];
    const wire = `stream,id=n0,server=off,addr.type=unix,addr.path=${socketPath}`;
    const nic = ['-netdev', wire, '-device', 'e1000,netdev=n0,romfile='];
    this.#qemu = spawn('qemu-system-riscv64', [...machine, '-bios', U_BOOT, ...nic, '-no-reboot']);
    const listen = (text: string) => {
      this.console += text;
    };
    this.#qemu.stdout.setEncoding('utf8').on('data', listen);
    this.#qemu.stderr.setEncoding('utf8').on('data', listen);
    this.#qemu.stdin.on('error', () => undefined);
  }

  /** Stops it from booting by itself, and waits for its prompt. */
  async prompt(): Promise<void> {
    await this.#says('Hit any key');
    this.#qemu.stdin.write(' \n');
    await this.#says('=> ');
  }

  /** Gives a command, and returns what it prints up to the next prompt. */
  async command(line: string): Promise<string> {
    const from = this.console.length;
    this.#qemu.stdin.write(`${line}\n`);
    await this.#says('=> ', from + line.length);
    return this.console.slice(from);
  }

  kill(): void {
    this.#qemu.kill('SIGKILL');
  }

  async #says(text: string, from = 0): Promise<void> {
    await until(`"${text}" from U-Boot`, () => this.console.indexOf(text, from) >= 0).catch(error => {
      throw new Error(`${error.message}; it said:\n${this.console}`);
    });
  }
}

function missingImage(): string | null {
  try {
    accessSync(U_BOOT);
    return null;
  } catch {
    return `${U_BOOT} not found`;
  }
}

const needImage = requirement('the image of u-boot-qemu', missingImage());

requireTool('qemu-system-riscv64', 'tshark')('U-Boot on the wire', () => {
  needImage('with its e1000', () => {
    let directory: string;
    let live: LiveProcess;
    let uBoot: UBoot;

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'ringtail-u-boot-'));
      live = await LiveProcess.start('lab', 'uplink', directory);
      uBoot = new UBoot(live.socketPath);
      await uBoot.prompt();
    });
    afterAll(() => {
      uBoot?.kill();
      live?.kill();
      rmSync(directory, { recursive: true, force: true });
    });

    it('finds the emulated host alive', async () => {
      await uBoot.command('setenv ipaddr 192.0.2.1; setenv netmask 255.255.255.0');
      expect(await uBoot.command(`ping ${EMULATED}`)).toContain(`host ${EMULATED} is alive`);
    });

    it('leaves a capture in which tshark finds no fault, and a journal that repeats it to the byte', async () => {
      expect(await live.end('SIGINT')).toBe(0);
      expect(framesOf(live.pcapPath, `icmp.type == 0 && ip.src == ${EMULATED}`).length).toBeGreaterThanOrEqual(1);
      expect(faultyFrames(live.pcapPath)).toEqual([]);
      const replayedPath = join(directory, 'replayed.pcapng');
      ringtail('replay', live.journalPath, '--pcap', replayedPath);
      expect(readFileSync(replayedPath).equals(readFileSync(live.pcapPath))).toBe(true);
    });
  });
});
