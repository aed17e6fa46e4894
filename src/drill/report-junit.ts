/** What became of scripts as JUnit's XML, which CI servers read: a test case for each script. */
import { problemLines } from './report-text.ts';
import type { ScriptResult } from './result.ts';

const NS_PER_SECOND = 1e9;
/** Characters that XML 1.0 has no place for, not even as references (section 2.2): controls, but for tab and line end. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that must go.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

export function junitReport(results: readonly ScriptResult[]): string {
  const failures = results.filter(({ verdict }) => verdict === 'failed').length;
  const errors = results.filter(({ verdict }) => verdict === 'invalid').length;
  const skipped = results.filter(({ verdict }) => verdict === 'unsupported').length;
  const counts = `tests="${results.length}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="ringtail drill" ${counts}>`,
    ...results.map(testCase),
    '</testsuite>',
    '',
  ].join('\n');
}

/** The time of a case is that of the script: there is no other. */
function testCase(result: ScriptResult): string {
  const seconds = result.virtualTimeNs / NS_PER_SECOND;
  const head = `  <testcase classname="drill" name="${escaped(result.path)}" time="${seconds}"`;
  const [first] = result.problems;
  if (first === undefined) return `${head}/>`;
  const element = { failed: 'failure', invalid: 'error', unsupported: 'skipped', passed: '' }[result.verdict];
  const text = result.problems.flatMap(problem => problemLines(result.path, problem)).join('\n');
  return `${head}>\n    <${element} message="${escaped(first.text)}">${escaped(text)}</${element}>\n  </testcase>`;
}

const escaped = (text: string): string =>
  text
    .replace(FORBIDDEN, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
