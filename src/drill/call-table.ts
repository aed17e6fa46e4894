/** The system calls that scripts may make, by name. */
import type { CallReader, PreparedCall } from './call.ts';
import type { CallLine } from './call-line.ts';
import { OPTION_CALLS } from './option-calls.ts';
import { POLL_CALLS } from './poll-calls.ts';
import { ScriptError } from './script.ts';
import { SOCKET_CALLS } from './socket-calls.ts';
import { TRANSFER_CALLS } from './transfer-calls.ts';

const CALLS: Readonly<Record<string, CallReader>> = {
  ...SOCKET_CALLS,
  ...TRANSFER_CALLS,
  ...OPTION_CALLS,
  ...POLL_CALLS,
};

/** Reads the arguments of `call`, before the script runs. Throws a ScriptError. */
export function prepareCall(call: CallLine): PreparedCall {
  if (Object.hasOwn(CALLS, call.name)) return CALLS[call.name]!(call);
  throw new ScriptError('unsupported', call.at, `not supported: the system call ${call.name}`);
}
