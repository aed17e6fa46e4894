/** What became of scripts in the Test Anything Protocol, version 13: a test point for each script. */
import { problemLines } from './report-text.ts';
import type { ScriptResult } from './result.ts';

export function tapReport(results: readonly ScriptResult[]): string {
  const lines = ['TAP version 13', `1..${results.length}`];
  for (const [index, result] of results.entries()) {
    const { verdict, path, problems } = result;
    const ok = verdict === 'passed' || verdict === 'unsupported' ? 'ok' : 'not ok';
    // A `#` would begin a directive.
    const name = path.replaceAll('#', '_');
    const directive = verdict === 'unsupported' ? ` # SKIP ${problems[0]?.text.replaceAll('#', '_') ?? ''}` : '';
    lines.push(`${ok} ${index + 1} - ${name}${directive}`);
    for (const problem of problems) lines.push(...problemLines(path, problem).map(line => `# ${line}`));
  }
  return `${lines.join('\n')}\n`;
}
