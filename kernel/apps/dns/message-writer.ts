/** Writes DNS messages, RFC 1035 section 4: names that stand in the message already become pointers to there. */
import { writeBe16, writeBe32 } from '../../../src/lib/bytes.ts';
import {
  CLASS_INTERNET,
  type DnsData,
  type DnsMessage,
  type DnsRecord,
  type Edns,
  FLAG,
  MAX_UDP_MESSAGE_BYTES,
  POINTER,
  RECORD_TYPE,
} from './message.ts';

/** Places beyond this do not fit into a pointer. */
const MAX_POINTER = 0x3fff;

/** A message of at most `maxBytes`: if it would be longer, it goes without records and says that it is truncated. */
export function emitMessage(message: DnsMessage, maxBytes = MAX_UDP_MESSAGE_BYTES): Uint8Array {
  const whole = new Writer().message(message);
  if (whole.length <= maxBytes) return whole;
  return new Writer().message({ ...message, truncated: true, answers: [], authorities: [], additionals: [] });
}

class Writer {
  #bytes: Uint8Array = new Uint8Array(MAX_UDP_MESSAGE_BYTES);
  #at = 0;
  /** Where each name, or end of one, was written first. */
  readonly #places = new Map<string, number>();

  message(message: DnsMessage): Uint8Array {
    this.#word(message.id);
    this.#word(flagsOf(message));
    const { questions, answers, authorities, additionals, edns, code } = message;
    for (const list of [questions, answers, authorities]) this.#word(list.length);
    this.#word(additionals.length + (edns === null ? 0 : 1));
    for (const question of questions) {
      this.#name(question.name);
      this.#word(question.type);
      this.#word(question.class);
    }
    for (const record of [...answers, ...authorities, ...additionals]) this.#record(record);
    if (edns !== null) this.#opt(edns, code >>> 4);
    return this.#bytes.slice(0, this.#at);
  }

  #record({ name, ttlSeconds, data }: DnsRecord): void {
    this.#name(name);
    this.#word(data.type === 'other' ? data.number : RECORD_TYPE[data.type]);
    this.#word(CLASS_INTERNET);
    this.#long(ttlSeconds);
    const lengthAt = this.#at;
    this.#word(0);
    this.#data(data);
    writeBe16(this.#bytes, lengthAt, this.#at - lengthAt - 2);
  }

  #opt({ payloadBytes, version }: Edns, extendedCode: number): void {
    this.#name('');
    this.#word(RECORD_TYPE.OPT);
    this.#word(payloadBytes);
    this.#long((extendedCode << 24) | (version << 16));
    this.#word(0);
  }

  #data(data: DnsData): void {
    switch (data.type) {
      case 'A':
        this.#long(data.address);
        break;
      case 'NS':
      case 'CNAME':
      case 'PTR':
        this.#name(data.target);
        break;
      case 'MX':
        this.#word(data.preference);
        this.#name(data.target);
        break;
      case 'TXT':
        for (const piece of data.text.match(/.{1,255}/gs) ?? ['']) this.#characters(piece);
        break;
      case 'SOA':
        this.#name(data.primary);
        this.#name(data.mailbox);
        for (const value of [data.serial, 0, 0, 0, data.minimumSeconds]) this.#long(value);
        break;
      case 'other':
        this.#reserve(data.bytes.length);
        this.#bytes.set(data.bytes, this.#at);
        this.#at += data.bytes.length;
    }
  }

  /** The longest end of the name that stands somewhere already is a pointer to there. */
  #name(name: string): void {
    for (let rest = name; rest !== ''; rest = rest.slice(rest.indexOf('.') + 1)) {
      const place = this.#places.get(rest);
      if (place !== undefined) {
        this.#word((POINTER << 8) | place);
        return;
      }
      if (this.#at <= MAX_POINTER) this.#places.set(rest, this.#at);
      const dot = rest.indexOf('.');
      this.#characters(dot < 0 ? rest : rest.slice(0, dot));
      if (dot < 0) break;
    }
    this.#octet(0);
  }

  #characters(text: string): void {
    this.#octet(text.length);
    for (let i = 0; i < text.length; i++) this.#octet(text.charCodeAt(i));
  }

  #octet(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  #word(value: number): void {
    this.#reserve(2);
    writeBe16(this.#bytes, this.#at, value);
    this.#at += 2;
  }

  #long(value: number): void {
    this.#reserve(4);
    writeBe32(this.#bytes, this.#at, value);
    this.#at += 4;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * this.#bytes.length + count);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

function flagsOf(message: DnsMessage): number {
  const { response, opcode, authoritative, truncated, recursionDesired, recursionAvailable, code } = message;
  let flags = (opcode << 11) | (code & 15);
  if (response) flags |= FLAG.response;
  if (authoritative) flags |= FLAG.authoritative;
  if (truncated) flags |= FLAG.truncated;
  if (recursionDesired) flags |= FLAG.desired;
  if (recursionAvailable) flags |= FLAG.available;
  return flags;
}
