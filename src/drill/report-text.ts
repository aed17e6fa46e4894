/** What became of scripts, for a person: file, line, what the script says, and expected and actual side by side. */
import type { Problem, ScriptResult } from './result.ts';

const WORDS = { passed: 'ok', failed: 'FAILED', unsupported: 'UNSUPPORTED', invalid: 'INVALID' } as const;
/** Lines of an event that are shown: a block of code may have many. */
const MAX_SOURCE_LINES = 6;

/** The lines about one script. */
export function resultLines(result: ScriptResult): string[] {
  return [
    `${WORDS[result.verdict].padEnd(11)} ${result.path}`,
    ...result.problems.flatMap(problem => problemLines(result.path, problem)),
    ...result.notes.map(note => `  note: ${note}`),
  ];
}

/** `4 scripts: 2 passed, 1 failed, unsupported: 1`. */
export function summaryLine(results: readonly ScriptResult[]): string {
  const count = (verdict: ScriptResult['verdict']): number => results.filter(each => each.verdict === verdict).length;
  const parts = [`${count('passed')} passed`, `${count('failed')} failed`];
  if (count('unsupported') > 0) {
    const places = results.reduce(
      (sum, { verdict, problems }) => (verdict === 'unsupported' ? sum + problems.length : sum),
      0,
    );
    parts.push(`${count('unsupported')} unsupported (${places} ${places === 1 ? 'place' : 'places'})`);
  }
  if (count('invalid') > 0) parts.push(`${count('invalid')} invalid`);
  return `${results.length} ${results.length === 1 ? 'script' : 'scripts'}: ${parts.join(', ')}`;
}

/** `reset.pkt:12:1: the packet differs: ack`, and below it the script and both packets. */
export function problemLines(path: string, { at, text, source, details }: Problem): string[] {
  const lines = [`${path}:${at.line}:${at.column}: ${text}`];
  const excerpt = source?.split('\n') ?? [];
  for (const line of excerpt.slice(0, MAX_SOURCE_LINES)) lines.push(`    script    ${line.trim()}`);
  if (excerpt.length > MAX_SOURCE_LINES) lines.push('    script    …');
  for (const [name, value] of details) lines.push(`    ${name.padEnd(9)} ${value}`);
  return lines;
}
