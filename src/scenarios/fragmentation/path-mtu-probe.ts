/** A program that finds a path MTU as RFC 1191 has it: it sends with DF set, is told what was too long, and sends less. */
import { ECHO_PORT } from '../../../kernel/apps/udp-echo.ts';
import { SocketError } from '../../../kernel/net/socket-error.ts';
import type { Program } from '../../../kernel/task.ts';
import { formatIpv4 } from '../../lib/bytes.ts';

const FIRST_BYTES = 1500;
/** Of IPv4 and UDP. */
const HEADERS_BYTES = 28;
/** More than any path of a scenario has links. */
const MAX_ATTEMPTS = 8;
const TIMEOUT_NS = 1_000_000_000;

/** A packet that was sent, header and all: answered, not answered, or stopped by a router whose next link takes less. */
export type Attempt =
  | { readonly packetBytes: number; readonly outcome: 'answered' | 'no answer' }
  | {
      readonly packetBytes: number;
      readonly outcome: 'too long';
      /** As ICMP says it: type and code. */
      readonly icmp: string;
      readonly router: string;
      readonly nextMtu: number;
    };

/** A program that sends to the echo server at `address`, less and less, until it is answered; it fills `attempts`. */
export function pathMtuProbe(address: number, attempts: Attempt[]): Program {
  return function* (sys) {
    const socket = sys.socket('udp');
    sys.setsockopt(socket, 'IP_MTU_DISCOVER', 'IP_PMTUDISC_DO');
    yield* sys.connect(socket, address, ECHO_PORT);
    let packetBytes = FIRST_BYTES;
    while (attempts.length < MAX_ATTEMPTS) {
      try {
        yield* sys.send(socket, new Uint8Array(packetBytes - HEADERS_BYTES));
        const answer = yield* sys.recvfrom(socket, TIMEOUT_NS);
        attempts.push({ packetBytes, outcome: answer === null ? 'no answer' : 'answered' });
        break;
      } catch (error) {
        if (!(error instanceof SocketError) || error.code !== 'EMSGSIZE' || error.report === null) throw error;
        const { type, code, word, reporter } = error.report;
        const router = formatIpv4(reporter);
        attempts.push({ packetBytes, outcome: 'too long', icmp: `${type}/${code}`, router, nextMtu: word });
        packetBytes = word;
      }
    }
    sys.close(socket);
  };
}
