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
  FLAG,
  MAX_LABEL_BYTES,
  MAX_NAME_BYTES,
  POINTER,
  RECORD_TYPE,
} from './message.ts';

const HEADER_BYTES = 12;
/** Records of one message that are read. */
const MAX_RECORDS = 256;

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
      code: flags & 15,
      questions: this.#times(questions, () => this.#question()),
      answers: this.#times(answers, () => this.#record()),
      authorities: this.#times(authorities, () => this.#record()),
      additionals: this.#times(additionals, () => this.#record()),
    };
  }

  #times<T>(count: number, read: () => T): T[] {
    return Array.from({ length: count }, read);
  }

  #question(): DnsQuestion {
    const name = this.#name();
    const type = this.#word();
    this.#word();
    return { name, type };
  }

  #record(): DnsRecord {
    const name = this.#name();
    const type = this.#word();
    this.#word();
    const ttlSeconds = this.#long();
    const length = this.#word();
    this.#need(length);
    const end = this.#at + length;
    const data = this.#data(type, length);
    if (this.#at > end) throw new MalformedError();
    this.#at = end;
    return { name, ttlSeconds, data };
  }

  #data(type: number, length: number): DnsData {
    switch (type) {
      case RECORD_TYPE.A:
        if (length !== 4) throw new MalformedError();
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
      this.#need(count);
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
      labels.push(String.fromCharCode(...this.#bytes.subarray(at + 1, at + 1 + count)).toLowerCase());
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
