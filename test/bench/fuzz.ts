/** Operations of a guest that does anything to the NIC: what the fuzzer of the test suite can do in a second. */
import { STRICT } from '../../hw/nic/e1000/profile.ts';
import { E1000Fuzz } from '../support/e1000-fuzz.ts';
import type { Variant } from './paired.ts';

const OPERATIONS = 20_000;
const REFRESH_OPERATIONS = 50;

export function fuzz(): Variant {
  const guest = new E1000Fuzz('bench', STRICT);
  return {
    name: 'fuzz',
    operations: OPERATIONS,
    run: () => {
      for (let i = 0; i < OPERATIONS; i++) {
        if (i % REFRESH_OPERATIONS === 0) guest.refresh();
        guest.step();
      }
    },
  };
}
