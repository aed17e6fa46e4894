/**
 * NewReno, RFC 6582: the windows are those of Reno. What is new is that a partial acknowledgement, which shows the next
 * of several losses in one window, does not end recovery.
 */
import type { CongestionAlgorithm } from '../user.ts';
import { Reno } from './reno.ts';

export class NewReno extends Reno {
  override readonly name: CongestionAlgorithm = 'newreno';
  override readonly keepsRecovering = true;
}
