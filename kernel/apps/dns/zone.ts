/**
 * A zone: the part of the name space that one server knows all of (RFC 1034 section 4.2), and what it answers
 * (section 4.3.2): records, the way to who knows more, or that there is no such name.
 */
import { parseIpv4 } from '../../../src/lib/bytes.ts';
import { type DnsData, type DnsQuestion, type DnsRecord, isName, RECORD_TYPE, RESPONSE } from './message.ts';

/** A record as a scenario writes it: a name within the zone (`@` is the zone itself, `*` any other), its type, its value. */
export type ZoneRecord =
  | readonly [name: string, type: 'A' | 'NS' | 'CNAME' | 'PTR' | 'TXT', value: string]
  | readonly [name: string, type: 'MX', value: string, preference: number];

export interface ZoneConfig {
  /** `example.net`; empty for the root. Names in the records are within it; those with a dot at the end are whole. */
  readonly origin: string;
  readonly records: readonly ZoneRecord[];
  /** How long others may remember a record: an hour unless given. */
  readonly ttlSeconds?: number;
}

/** What a zone has to say to a question. */
export interface ZoneAnswer {
  readonly code: number;
  readonly authoritative: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

const DEFAULT_TTL_SECONDS = 3600;
const MAX_TTL_SECONDS = 0x7fff_ffff;
/** How long others may remember that there is no such name. */
const NEGATIVE_TTL_SECONDS = 60;
/** Other names that are followed for one answer. */
const MAX_ALIASES = 8;
const WILDCARD = '*';

export class Zone {
  readonly origin: string;
  readonly #ttlSeconds: number;
  readonly #soa: DnsData;
  readonly #byName = new Map<string, DnsData[]>();

  /** Throws a RangeError for what is no zone. */
  constructor({ origin, records, ttlSeconds = DEFAULT_TTL_SECONDS }: ZoneConfig) {
    this.origin = origin.toLowerCase();
    if (this.origin !== '' && !isName(this.origin)) throw new RangeError(`"${origin}" is no name of a zone`);
    if (!Number.isInteger(ttlSeconds) || ttlSeconds < 0 || ttlSeconds > MAX_TTL_SECONDS) {
      throw new RangeError(`records of zone "${origin}" that hold for ${ttlSeconds} s`);
    }
    this.#ttlSeconds = ttlSeconds;
    this.#soa = {
      type: 'SOA',
      primary: this.origin,
      mailbox: this.origin === '' ? 'hostmaster' : `hostmaster.${this.origin}`,
      serial: 1,
      minimumSeconds: NEGATIVE_TTL_SECONDS,
    };
    this.#byName.set(this.origin, [this.#soa]);
    for (const record of records) this.#add(record);
    for (const [name, data] of this.#byName) {
      // RFC 1034 section 3.6.2.
      const hasAlias = data.length > 1 && data.some(({ type }) => type === 'CNAME');
      if (hasAlias) throw new RangeError(`"${name}" is another name, and can have no other records`);
    }
    // A name between another one and the zone is there too, although it has no records (RFC 4592 section 2.2.2).
    for (const name of [...this.#byName.keys()]) {
      for (let above = parentOf(name); this.has(above) && !this.#byName.has(above); above = parentOf(above)) {
        this.#byName.set(above, []);
      }
    }
  }

  /** Whether `name` is in this zone, though it may be that there is no such name. */
  has(name: string): boolean {
    return this.origin === '' || name === this.origin || name.endsWith(`.${this.origin}`);
  }

  /** The answer to `question`, whose name is in the zone. */
  answer(question: DnsQuestion): ZoneAnswer {
    const answers: DnsRecord[] = [];
    let { name } = question;
    for (let aliases = 0; aliases <= MAX_ALIASES && this.has(name); aliases++) {
      const cut = this.#delegation(name);
      if (cut !== null) return this.#referral(cut, answers);
      const data = this.#byName.get(name) ?? this.#wildcard(name);
      // Of several names it is the last one of which there is none (RFC 6604 section 3).
      if (data === undefined) return this.#negative(RESPONSE.nameError, answers);
      const matching = data.filter(each => matches(each, question.type));
      answers.push(...matching.map(each => this.#record(name, each)));
      const alias = data.find(each => each.type === 'CNAME');
      if (matching.length > 0 || alias?.type !== 'CNAME') {
        return matching.length > 0 ? authoritative(answers) : this.#negative(RESPONSE.noError, answers);
      }
      answers.push(this.#record(name, alias));
      name = alias.target;
    }
    return authoritative(answers);
  }

  #add(record: ZoneRecord): void {
    const [label, type, value] = record;
    const name = this.#whole(label);
    const data = type === 'MX' ? this.#exchanger(value, record[3]) : this.#data(type, value);
    const list = this.#byName.get(name);
    if (list === undefined) this.#byName.set(name, [data]);
    else list.push(data);
  }

  #data(type: 'A' | 'NS' | 'CNAME' | 'PTR' | 'TXT', value: string): DnsData {
    if (type === 'A') return { type, address: parseIpv4(value) };
    if (type !== 'TXT') return { type, target: this.#whole(value) };
    if (!/^[\0-\xff]*$/.test(value)) throw new RangeError(`"${value}" is no text of octets`);
    return { type, text: value };
  }

  #exchanger(value: string, preference: number): DnsData {
    if (!Number.isInteger(preference) || preference < 0 || preference > 0xffff) {
      throw new RangeError(`the preference ${preference} of ${value}`);
    }
    return { type: 'MX', target: this.#whole(value), preference };
  }

  /** The whole name of one that stands in a record. */
  #whole(text: string): string {
    const lower = text.toLowerCase();
    if (lower === '@') return this.origin;
    const whole = lower.endsWith('.') ? lower.slice(0, -1) : this.origin === '' ? lower : `${lower}.${this.origin}`;
    // A label `*` may stand anywhere (RFC 4592 section 2.1.1).
    if (!isName(whole.replace(/(?<![^.])\*(?![^.])/g, 'x'))) throw new RangeError(`"${text}" is no name`);
    return whole;
  }

  /** The highest name above `name`, or it itself, that is another server's, by the NS records below the zone's own. */
  #delegation(name: string): string | null {
    let found: string | null = null;
    for (let at = name; at !== this.origin; at = parentOf(at)) {
      if (this.#byName.get(at)?.some(({ type }) => type === 'NS')) found = at;
      if (at === '') break;
    }
    return found;
  }

  #referral(cut: string, answers: readonly DnsRecord[]): ZoneAnswer {
    const servers = this.#byName.get(cut)!.filter(each => each.type === 'NS');
    const authorities = servers.map(each => this.#record(cut, each));
    const glue = servers.flatMap(({ target }) => {
      const addresses = (this.#byName.get(target) ?? []).filter(each => each.type === 'A');
      return addresses.map(each => this.#record(target, each));
    });
    return { code: RESPONSE.noError, authoritative: answers.length > 0, answers, authorities, additionals: glue };
  }

  #wildcard(name: string): DnsData[] | undefined {
    if (name === this.origin || name === '') return undefined;
    for (let above = parentOf(name); this.has(above); above = parentOf(above)) {
      const data = this.#byName.get(above === '' ? WILDCARD : `${WILDCARD}.${above}`);
      if (data !== undefined) return data;
      // What is there ends the search (RFC 4592 section 3.3.1).
      if (this.#byName.has(above) || above === '') return undefined;
    }
    return undefined;
  }

  /** No such name, or no such record: with it goes how long that may be remembered (RFC 2308 section 3). */
  #negative(code: number, answers: readonly DnsRecord[]): ZoneAnswer {
    const authorities = [{ name: this.origin, ttlSeconds: NEGATIVE_TTL_SECONDS, data: this.#soa }];
    return { code, authoritative: true, answers, authorities, additionals: [] };
  }

  #record(name: string, data: DnsData): DnsRecord {
    return { name, ttlSeconds: this.#ttlSeconds, data };
  }
}

const authoritative = (answers: readonly DnsRecord[]): ZoneAnswer => {
  return { code: RESPONSE.noError, authoritative: true, answers, authorities: [], additionals: [] };
};

const matches = (data: DnsData, type: number): boolean =>
  type === RECORD_TYPE.ANY || (data.type !== 'other' && RECORD_TYPE[data.type] === type);

/** The name without its first label; empty at the end. */
function parentOf(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1);
}
