/** `docs/acceptance.md` and the tests that it names; and that the check of a run against it sees what it must. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { failuresOf, type Report } from '../../acceptance/report.ts';
import { FAMILIES } from '../../acceptance/rows.ts';
import { pageOf, readPage } from '../../acceptance/table.ts';
import { type Claim, claimsBelow, idsOf, titlesIn } from '../../acceptance/titles.ts';

const ROOT = process.cwd();
const PAGE = readFileSync(`${ROOT}/docs/acceptance.md`, 'utf8');
/** Counted once more, so that no row is lost by accident. */
const ROWS: Readonly<Record<string, number>> = {
  '9293': 36,
  '6298': 7,
  '5681': 9,
  '6582': 4,
  '2018': 4,
  '7323': 7,
  '5961': 4,
  '6528': 1,
  sharp: 40,
  FRAG: 8,
  '1122': 8,
  '1812': 11,
  '826': 2,
  '5227': 3,
  SW: 1,
  '792': 3,
  NAT: 14,
  FW: 1,
};

describe('the page', () => {
  test('has every row', () => {
    expect(Object.fromEntries(FAMILIES.map(({ name, rows }) => [name, rows.length]))).toEqual(ROWS);
    expect(readPage(PAGE).ids).toEqual(FAMILIES.flatMap(({ rows }) => rows.map(({ id }) => id)));
  });

  test('names a test for every row, for all families are complete', () => {
    const shown = new Set(readPage(PAGE).claims.map(({ id }) => id));
    const complete = FAMILIES.filter(family => family.complete).flatMap(({ rows }) => rows);
    expect(complete.length).toBe(Object.values(ROWS).reduce((sum, count) => sum + count, 0));
    expect(complete.map(({ id }) => id).filter(id => !shown.has(id))).toEqual([]);
  });

  test('names tests that exist where it says', () => {
    const absent = readPage(PAGE).claims.filter(
      ({ path, title }) => !titlesIn(readFileSync(`${ROOT}/${path}`, 'utf8')).includes(title),
    );
    expect(absent).toEqual([]);
  });

  test('is what `npm run docs` makes of the tests', () => {
    expect(readPage(PAGE).claims).toEqual(readPage(pageOf(claimsBelow(ROOT))).claims);
  });

  test('leaves out no claim: every ID in front of a title is that of a row', () => {
    const ids = new Set(readPage(PAGE).ids);
    expect(claimsBelow(ROOT).filter(({ id }) => !ids.has(id))).toEqual([]);
  });
});

describe('titles', () => {
  test('are the first arguments of calls, over several lines and with cases in front', () => {
    // A mark in front of each ID, so that this file claims nothing.
    const source = `
      test('#9293-2 it\\'s so', () => {});
      test.each([['#9293-9 not this'], [2]])(
        '#5681-1 6298-2 of %s',
        () => {},
      );
      describe("#sharp 12 all of it", () => {});
      test(\`#NAT-1 \${n} times\`, () => {});
      test('a title that ends in 9293-3', () => {});
      expect('#9293-4 no title');`.replaceAll('#', '');
    const titles = ["9293-2 it's so", '5681-1 6298-2 of %s', 'sharp 12 all of it', `NAT-1 \${n} times`];
    expect(titlesIn(source)).toEqual(titles);
    expect(titles.map(idsOf)).toEqual([['9293-2'], ['5681-1', '6298-2'], ['sharp 12'], ['NAT-1']]);
    expect(idsOf('sharp 1 sharp 2 9293-36 over')).toEqual(['sharp 1', 'sharp 2', '9293-36']);
    expect(idsOf('9293-11th of many')).toEqual([]);
  });
});

describe('a run', () => {
  /** A page on which every row of a complete family has one test of its own. */
  const claims: Claim[] = FAMILIES.filter(({ complete }) => complete).flatMap(({ rows }) =>
    rows.map(({ id }) => ({ id, path: 'test/a.test.ts', title: `${id} | \${n} of %s holds` })),
  );
  const page = pageOf(claims);
  const run = (status: (title: string) => string | null): Report => ({
    testResults: [
      {
        name: '/here/test/a.test.ts',
        assertionResults: claims
          .map(({ id }) => `${id} | 5 of (many) holds`)
          .flatMap(title => {
            const got = status(title);
            return got === null ? [] : [{ ancestorTitles: ['a group'], title, status: got }];
          }),
      },
    ],
  });

  test('in which all tests passed has shown it all', () => {
    expect(
      failuresOf(
        page,
        run(() => 'passed'),
        '/here',
      ),
    ).toEqual([]);
  });

  test.each(['failed', 'skipped', 'pending', 'todo'])('with a test that %s has not', status => {
    const failures = failuresOf(
      page,
      run(title => (title.startsWith('9293-2 ') ? status : 'passed')),
      '/here',
    );
    expect(failures).toEqual([`9293-2: test/a.test.ts: "9293-2 | \${n} of %s holds" did not pass: ${status}`]);
  });

  test('with a test that is gone has not, and says which', () => {
    const failures = failuresOf(
      page,
      run(title => (title.startsWith('6528-1 ') ? null : 'passed')),
      '/here',
    );
    expect(failures).toEqual([`6528-1: test/a.test.ts: "6528-1 | \${n} of %s holds" was not run: no such test`]);
    expect(failuresOf(page, { testResults: [] }, '/here').length).toBe(claims.length);
  });

  test('against a page that has lost a row, or a test of a row, has not', () => {
    const without = (id: string) => page.split('\n').filter(line => !line.startsWith(`| ${id} |`));
    expect(
      failuresOf(
        without('NAT-3').join('\n'),
        run(() => 'passed'),
        '/here',
      ),
    ).toEqual(['NAT-3: the row is missing', 'NAT-3: no test shows it']);
    const bare = pageOf(claims.filter(({ id }) => id !== '2018-4'));
    expect(
      failuresOf(
        bare,
        run(() => 'passed'),
        '/here',
      ),
    ).toEqual(['2018-4: no test shows it']);
  });

  test('shows a row by a whole group only when every test in it passed', () => {
    const group = pageOf([...claims, { id: 'FW-1', path: 'test/b.test.ts', title: 'FW-1 rules' }]);
    const two = (status: string): Report => ({
      testResults: [
        ...run(() => 'passed').testResults,
        {
          name: '/here/test/b.test.ts',
          assertionResults: ['passed', status].map((each, i) => ({
            ancestorTitles: ['FW-1 rules'],
            title: `rule ${i}`,
            status: each,
          })),
        },
      ],
    });
    expect(failuresOf(group, two('passed'), '/here')).toEqual([]);
    expect(failuresOf(group, two('failed'), '/here')).toEqual([
      'FW-1: test/b.test.ts: "FW-1 rules" did not pass: failed',
    ]);
  });
});
