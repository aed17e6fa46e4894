/** Whether a run has shown what `docs/acceptance.md` says: the test runner's JSON report against the page. */
import { FAMILIES } from './rows.ts';
import { readPage } from './table.ts';

/** As much of the report as matters here. Paths are absolute. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

/** What is wrong, a line each; none: all is well. `root` is the folder of the repository. */
export function failuresOf(page: string, report: Report, root: string): string[] {
  const { ids, claims } = readPage(page);
  const wanted = FAMILIES.flatMap(({ rows }) => rows.map(({ id }) => id));
  return [
    ...wanted.filter(id => !ids.includes(id)).map(id => `${id}: the row is missing`),
    ...FAMILIES.filter(({ complete }) => complete)
      .flatMap(({ rows }) => rows)
      .filter(({ id }) => !claims.some(claim => claim.id === id))
      .map(({ id }) => `${id}: no test shows it`),
    ...claims.flatMap(({ id, path, title }) => {
      const failure = failureOf(
        title,
        report.testResults.find(({ name }) => name === `${root}/${path}`),
      );
      return failure === null ? [] : [`${id}: ${path}: "${title}" ${failure}`];
    }),
  ];
}

function failureOf(title: string, file: Report['testResults'][number] | undefined): string | null {
  if (file === undefined) return 'was not run: no such file';
  const pattern = patternOf(title);
  const tests = file.assertionResults.filter(test =>
    [test.title, ...test.ancestorTitles].some(name => pattern.test(name)),
  );
  if (tests.length === 0) return 'was not run: no such test';
  const bad = tests.find(({ status }) => status !== 'passed');
  return bad === undefined ? null : `did not pass: ${bad.status}`;
}

/** A title in the source may have places that are filled in for each case: `%s`, `$name`, `\${...}`. */
function patternOf(title: string): RegExp {
  const literals = title.split(/%[sdifjo#%]|\$\{[^}]*\}|\$\w+/);
  return new RegExp(`^${literals.map(text => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`, 's');
}
