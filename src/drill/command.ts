/**
 * Commands in backticks. There is no shell here: what sets a sysctl is understood, and what sources a file of defaults
 * stands for the settings of the profile. All else cannot be had.
 */
import type { Setting } from './script.ts';

export interface Command {
  readonly settings: readonly Setting[];
  readonly note: string | null;
  /** Only FreeBSD has such a command, or setting. */
  readonly ofFreeBsd: boolean;
}

/** `sysctl -q net.ipv4.tcp_sack=1 net.ipv4.tcp_rmem="4096 131072 6291456"`. */
const SYSCTL = /^(?:\/(?:usr\/)?s?bin\/)?sysctl\b(.*)$/s;
/** `echo 1 > /proc/sys/net/ipv4/tcp_sack`. */
const ECHO = /^echo\s+(?:-n\s+)?["']?([^"'>]*?)["']?\s*>+\s*(\/proc\/sys\/\S+)$/;
/** `./set_sysctls.py /proc/sys/net/ipv4/tcp_sack=1`. */
const SET_SYSCTLS = /^\S*set_sysctls?(?:\.\w+)?\s+(.*)$/s;
/** `../common/defaults.sh`, also with `sh` or `.` before it. */
const DEFAULTS = /^(?:(?:sh|bash|source|\.)\s+)?\S*defaults\.sh$/;
const ASSIGNMENT = /([\w./-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|((?:[^\s]+)(?:[ \t]+\d+(?=\s|$))*))/g;
/** What a kernel module would bring, this host has or has not. */
const MODULE = /^(?:\S*\/)?(kldload|kldunload|modprobe)\s+(?:-\w+\s+)*[\w.-]+(?:\s+[\w.-]+)*$/;
const HARMLESS = /^(?:true|:|exit 0|)$/;
/** What becomes of the output, and of failure. */
const REDIRECTION = /\s*(?:[12&]?>+\s*(?:\/dev\/null|&[12])|\|\|\s*(?:true|:))(?=\s|$)/g;
const OF_FREEBSD = /^(?:net\.inet\.|kern\.)/;

/** Null when the command is none of those that are understood. */
export function parseCommand(text: string): Command | null {
  const settings: Setting[] = [];
  const notes: string[] = [];
  let ofFreeBsd = false;
  const parts = text
    .replace(/\\\r?\n/g, ' ')
    .replace(/^\s*#.*$/gm, '')
    .replace(REDIRECTION, '')
    .split(/\n|;|&&/);
  for (const part of parts.map(each => each.trim())) {
    if (HARMLESS.test(part)) continue;
    if (DEFAULTS.test(part)) {
      notes.push(`${part} stands for the defaults of the profile`);
      continue;
    }
    const module = MODULE.exec(part);
    if (module !== null) {
      notes.push(`${part} changes nothing here`);
      ofFreeBsd ||= module[1] !== 'modprobe';
      continue;
    }
    const found = settingsOf(part);
    if (found === null || found.length === 0) return null;
    settings.push(...found);
  }
  ofFreeBsd ||= settings.some(({ name }) => OF_FREEBSD.test(name));
  return { settings, note: notes.length === 0 ? null : notes.join('; '), ofFreeBsd };
}

function settingsOf(command: string): Setting[] | null {
  const echo = ECHO.exec(command);
  if (echo !== null) return [{ name: sysctlName(echo[2]!), value: echo[1]!.trim() }];
  const args = SYSCTL.exec(command)?.[1] ?? SET_SYSCTLS.exec(command)?.[1];
  if (args === undefined) return null;
  return [...args.matchAll(ASSIGNMENT)].map(match => ({
    name: sysctlName(match[1]!),
    value: (match[2] ?? match[3] ?? match[4]!).trim(),
  }));
}

/** `/proc/sys/net/ipv4/tcp_sack` is `net.ipv4.tcp_sack`. */
const sysctlName = (name: string): string => name.replace(/^\/proc\/sys\//, '').replaceAll('/', '.');
