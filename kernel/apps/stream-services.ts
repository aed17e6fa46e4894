/**
 * The small services of 1983, over TCP: echo (RFC 862), discard (RFC 863) and the character generator (RFC 864).
 */
import type { Program } from '../task.ts';
import { type Service, tcpServer } from './tcp-server.ts';

const DISCARD_PORT = 9;
const CHARGEN_PORT = 19;
const ECHO_PORT = 7;

/** Printable ASCII, blank included. */
const FIRST_CHARACTER = 0x20;
const CHARACTERS = 95;
const LINE_CHARACTERS = 72;

/** A server that sends back what it receives, until the client has finished. */
export const tcpEcho = (port = ECHO_PORT): Program => tcpServer('echo', { port }, echo);

/** A server that throws away what it receives. */
export const discard = (port = DISCARD_PORT): Program => tcpServer('discard', { port }, throwAway);

/** A server that sends characters until the client closes. */
export const chargen = (port = CHARGEN_PORT): Program => tcpServer('chargen', { port }, generate);

const echo: Service = function* (sys, socket) {
  for (;;) {
    const bytes = yield* sys.recv(socket);
    if (bytes.length === 0) return;
    yield* sys.send(socket, bytes);
  }
};

const throwAway: Service = function* (sys, socket) {
  while ((yield* sys.recv(socket)).length > 0);
};

/** All lines that there are, in one piece: each begins one character further on than the one before. */
const generate: Service = function* (sys, socket) {
  const lines = Uint8Array.from({ length: CHARACTERS * (LINE_CHARACTERS + 2) }, (_, i) => {
    const column = i % (LINE_CHARACTERS + 2);
    if (column >= LINE_CHARACTERS) return column === LINE_CHARACTERS ? 0x0d : 0x0a;
    return FIRST_CHARACTER + ((Math.floor(i / (LINE_CHARACTERS + 2)) + column) % CHARACTERS);
  });
  for (;;) yield* sys.send(socket, lines);
};
