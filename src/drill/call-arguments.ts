/** The arguments of a call, as the calls ask for them. What cannot be is a ScriptError that names the call. */
import { parseIpv4 } from '../lib/bytes.ts';
import { type CallLine, type Expression, expressionText } from './call-line.ts';
import { CONSTANTS } from './constants.ts';
import { ScriptError } from './script.ts';

/** An address and a port, each null where the script leaves it open. */
export interface SocketAddress {
  readonly address: number | null;
  readonly port: number | null;
}

const OPEN: SocketAddress = { address: null, port: null };

export class CallArguments {
  readonly call: CallLine;

  /** Throws a ScriptError unless there are from `least` to `most` arguments. */
  constructor(call: CallLine, least: number, most = least) {
    this.call = call;
    const count = call.args.length;
    if (count < least || count > most) {
      this.fail(`takes ${least === most ? least : `${least} to ${most}`} arguments, not ${count}`);
    }
  }

  get count(): number {
    return this.call.args.length;
  }

  at(index: number): Expression {
    return this.call.args[index] ?? { kind: 'any' };
  }

  isAny(index: number): boolean {
    return this.at(index).kind === 'any';
  }

  number(index: number): number {
    return this.numberOf(this.at(index));
  }

  /** A number, a constant of <sys/socket.h> and its like, or several of these, joined by `|`. */
  numberOf(expression: Expression): number {
    switch (expression.kind) {
      case 'number':
        return expression.value;
      case 'name':
        return CONSTANTS[expression.name] ?? this.unsupported(`the constant ${expression.name}`);
      case 'or':
        return expression.terms.reduce((bits, term) => bits | this.numberOf(term), 0);
      case 'apply':
        if (['htons', 'ntohs', 'htonl', 'ntohl'].includes(expression.name)) return this.numberOf(expression.argument);
        if (expression.name === 'sizeof') return 0;
        return this.unsupported(expressionText(expression));
      default:
        return this.fail(`"${expressionText(expression)}" is not a number`);
    }
  }

  /** The number in `[n]`, where a call puts or takes something; null for `...`. */
  cell(index: number): number | null {
    const given = this.at(index);
    if (given.kind === 'any') return null;
    if (given.kind !== 'list') return this.numberOf(given);
    const [item, ...others] = given.items;
    if (item === undefined || others.length > 0) this.fail(`"${expressionText(given)}" is not one number`);
    return item.kind === 'any' ? null : this.numberOf(item);
  }

  /** The name of a constant. */
  name(index: number): string {
    const given = this.at(index);
    return given.kind === 'name' ? given.name : this.fail(`"${expressionText(given)}" is not the name of a constant`);
  }

  /** The octets of a string; null for `...`. */
  octets(expression: Expression): Uint8Array | null {
    if (expression.kind === 'any') return null;
    if (expression.kind !== 'string') this.fail(`"${expressionText(expression)}" is no string`);
    return Uint8Array.from(expression.value, character => character.charCodeAt(0));
  }

  items(index: number): readonly Expression[] {
    const given = this.at(index);
    return given.kind === 'list' ? given.items : this.fail(`"${expressionText(given)}" is not an array`);
  }

  struct(expression: Expression): ReadonlyMap<string, Expression> {
    if (expression.kind === 'struct') return expression.fields;
    return this.fail(`"${expressionText(expression)}" is not a structure`);
  }

  /** A `struct sockaddr_in`. */
  socketAddress(index: number): SocketAddress {
    const given = this.at(index);
    if (given.kind === 'any' || (given.kind === 'name' && given.name === 'NULL')) return OPEN;
    const fields = this.struct(given);
    const family = fields.get('sa_family') ?? fields.get('sin_family');
    if (family?.kind === 'name' && family.name !== 'AF_INET') this.unsupported(`addresses of ${family.name}`);
    const port = fields.get('sin_port');
    const address = fields.get('sin_addr');
    return {
      port: port === undefined || port.kind === 'any' ? null : this.numberOf(port),
      address: address === undefined || address.kind === 'any' ? null : this.#addressOf(address),
    };
  }

  fail(text: string): never {
    throw new ScriptError('syntax', this.call.at, `${this.call.name}: ${text}`);
  }

  unsupported(what: string): never {
    throw new ScriptError('unsupported', this.call.at, `not supported: ${what}, in ${this.call.name}`);
  }

  #addressOf(expression: Expression): number {
    if (expression.kind !== 'apply' || expression.name !== 'inet_addr') return this.numberOf(expression);
    const { argument } = expression;
    if (argument.kind !== 'string') return this.fail('inet_addr takes a string');
    try {
      return parseIpv4(argument.value);
    } catch (error) {
      return this.fail((error as Error).message);
    }
  }
}
