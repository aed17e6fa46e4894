/**
 * Our NIC with the profile `qemu72` against QEMU's e1000, register by register: generated programs run on both, and
 * what they read, what lies in memory, which frames leave and when the interrupt pin moves must be the same. A program
 * on which they differ is shrunk, and printed with both transcripts.
 *
 * RINGTAIL_RUNS multiplies the number of programs.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { difference } from '../differential/comparison.ts';
import { generatedOps, programs } from '../differential/programs.ts';
import { QemuTarget } from '../differential/qemu-target.ts';
import { runOnRingtail } from '../differential/ringtail-target.ts';
import { requireTool } from '../support/require-tool.ts';

const PROGRAMS = 200 * Number(process.env['RINGTAIL_RUNS'] ?? 1);
/** Ops that a program has on the average, at least: 5,000 in an ordinary run. */
const OPS_PER_PROGRAM = 25;
const MS_PER_PROGRAM = 1500;

requireTool('qemu-system-riscv64')('the profile qemu72', () => {
  let qemu: QemuTarget;
  beforeAll(async () => {
    qemu = await QemuTarget.start();
  });
  afterAll(() => qemu?.stop());

  it(
    'does what QEMU does',
    async () => {
      let ops = 0;
      const startMs = performance.now();
      await fc.assert(
        fc.asyncProperty(programs, async generated => {
          const { run, program } = runOnRingtail(generated);
          fc.pre(QemuTarget.canDeliver(run.frames));
          const report = difference(program, run, await qemu.run(program, run.frames.length));
          ops += generatedOps(program);
          if (report !== null) throw new Error(`ringtail and QEMU differ:\n${report}`);
        }),
        { numRuns: PROGRAMS },
      );
      const seconds = (performance.now() - startMs) / 1000;
      console.log(`${ops} ops in ${seconds.toFixed(1)} s: ${Math.round(ops / seconds)} ops/s on both`);
      expect(ops).toBeGreaterThan(OPS_PER_PROGRAM * PROGRAMS);
    },
    PROGRAMS * MS_PER_PROGRAM,
  );
});
