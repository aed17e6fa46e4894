/**
 * Reads DNS messages, RFC 1035 section 4. Names may end in a pointer to an earlier name (section 4.1.4); each pointer
 * has to lead to before the last one, so none can lead in a circle.
 */
import { readBe16, readBe32 } from '../../../src/lib/bytes.ts';
import {
  type DnsData,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  type Edns,
  FLAG,
  MAX_LABEL_BYTES,
  MAX_NAME_BYTES,
  POINTER,
  RECORD_TYPE,
} from './message.ts';

const HEADER_BYTES = 12;
const ADDRESS_BYTES = 4;
/** Records of one message that are read. */
const MAX_RECORDS = 256;
/** What is above counts as 0 (RFC 2181 section 8). */
const MAX_TTL_SECONDS = 0x7fff_ffff;
const DOT = '.';

/** Null for what is no message of this kind. */
export function parseMessage(bytes: Uint8Array): DnsMessage | null {
  try {
    return new Reader(bytes).message();
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}

class MalformedError extends Error {}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #edns: Edns | null = null;
  /** The upper eight bits of the response code. */
  #extendedCode = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(): DnsMessage {
    this.#need(HEADER_BYTES);
    const id = this.#word();
    const flags = this.#word();
    const [questions, answers, authorities, additionals] = [this.#word(), this.#word(), this.#word(), this.#word()];
    if (questions + answers + authorities + additionals > MAX_RECORDS) throw new MalformedError();
    return {
      id,
      response: (flags & FLAG.response) !== 0,
      opcode: (flags >>> 11) & 15,
      authoritative: (flags & FLAG.authoritative) !== 0,
      truncated: (flags & FLAG.truncated) !== 0,
      recursionDesired: (flags & FLAG.desired) !== 0,
      recursionAvailable: (flags & FLAG.available) !== 0,
      questions: Array.from({ length: questions }, () => this.#question()),
      answers: this.#records(answers),
      authorities: this.#records(authorities),
      additionals: this.#records(additionals),
      edns: this.#edns,
      code: (flags & 15) | (this.#extendedCode << 4),
    };
  }

  #records(count: number): DnsRecord[] {
    const records: DnsRecord[] = [];
    for (let i = 0; i < count; i++) {
      const record = this.#record();
      if (record !== null) records.push(record);
    }
    return records;
  }

  #question(): DnsQuestion {
    const name = this.#name();
    return { name, type: this.#word(), class: this.#word() };
  }

  /** Null for the OPT record, of which there may be one. */
  #record(): DnsRecord | null {
    const name = this.#name();
    const type = this.#word();
    const classOrSize = this.#word();
    const ttl = this.#long();
    const length = this.#word();
    this.#need(length);
    const end = this.#at + length;
    const isOpt = type === RECORD_TYPE.OPT;
    if (isOpt) this.#opt(name, classOrSize, ttl);
    const data = this.#data(type, length);
    if (this.#at > end) throw new MalformedError();
    this.#at = end;
    return isOpt ? null : { name, ttlSeconds: ttl > MAX_TTL_SECONDS ? 0 : ttl, data };
  }

  /** Where others have their class it has a size, and where they have their time it has a code, a version and flags. */
  #opt(name: string, payloadBytes: number, ttl: number): void {
    if (name !== '' || this.#edns !== null) throw new MalformedError();
    this.#edns = { payloadBytes, version: (ttl >>> 16) & 0xff };
    this.#extendedCode = ttl >>> 24;
  }

  #data(type: number, length: number): DnsData {
    switch (type) {
      case RECORD_TYPE.A:
        if (length !== ADDRESS_BYTES) throw new MalformedError();
        return { type: 'A', address: this.#long() };
      case RECORD_TYPE.NS:
        return { type: 'NS', target: this.#name() };
      case RECORD_TYPE.CNAME:
        return { type: 'CNAME', target: this.#name() };
      case RECORD_TYPE.PTR:
        return { type: 'PTR', target: this.#name() };
      case RECORD_TYPE.MX:
        return { type: 'MX', preference: this.#word(), target: this.#name() };
      case RECORD_TYPE.TXT:
        return { type: 'TXT', text: this.#text(length) };
      case RECORD_TYPE.SOA: {
        const [primary, mailbox, serial] = [this.#name(), this.#name(), this.#long()];
        this.#at += 12; // Refresh, retry and expiry matter to secondary servers only.
        return { type: 'SOA', primary, mailbox, serial, minimumSeconds: this.#long() };
      }
      default:
        return { type: 'other', number: type, bytes: this.#bytes.slice(this.#at, this.#at + length) };
    }
  }

  #text(length: number): string {
    let text = '';
    for (const end = this.#at + length; this.#at < end; ) {
      const count = this.#bytes[this.#at++]!;
      if (this.#at + count > end) throw new MalformedError();
      text += String.fromCharCode(...this.#bytes.subarray(this.#at, this.#at + count));
      this.#at += count;
    }
    return text;
  }

  #name(): string {
    const labels: string[] = [];
    let at = this.#at;
    let lengthBytes = 0;
    /** Where the latest pointer led; the next one has to lead to before that. */
    let before = this.#bytes.length;
    let jumped = false;
    for (;;) {
      const count = this.#octet(at);
      if ((count & POINTER) === POINTER) {
        const target = ((count & ~POINTER) << 8) | this.#octet(at + 1);
        if (!jumped) this.#at = at + 2;
        jumped = true;
        if (target >= Math.min(before, at)) throw new MalformedError();
        before = at = target;
        continue;
      }
      if (count > MAX_LABEL_BYTES) throw new MalformedError();
      if (count === 0) break;
      lengthBytes += count + 1;
      if (lengthBytes >= MAX_NAME_BYTES || at + count >= this.#bytes.length) throw new MalformedError();
      labels.push(labelOf(this.#bytes.subarray(at + 1, at + 1 + count)));
      at += count + 1;
    }
    if (!jumped) this.#at = at + 1;
    return labels.join('.');
  }

  #octet(at: number): number {
    const octet = this.#bytes[at];
    if (octet === undefined) throw new MalformedError();
    return octet;
  }

  #word(): number {
    this.#need(2);
    this.#at += 2;
    return readBe16(this.#bytes, this.#at - 2);
  }

  #long(): number {
    this.#need(4);
    this.#at += 4;
    return readBe32(this.#bytes, this.#at - 4);
  }

  #need(count: number): void {
    if (this.#at + count > this.#bytes.length) throw new MalformedError();
  }
}

/** Only letters of ASCII have two cases (RFC 4343). A label with a dot in it, which could be, is none that we know. */
function labelOf(octets: Uint8Array): string {
  const label = String.fromCharCode(...octets).replace(/[A-Z]/g, letter => letter.toLowerCase());
  if (label.includes(DOT)) throw new MalformedError();
  return label;
}
