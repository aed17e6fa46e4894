/** `docs/acceptance.md`: the rows with the tests that show them. It is written from both, and read to check a run. */
import { FAMILIES, type Family, type Row } from './rows.ts';
import type { Claim } from './titles.ts';

const HEAD = `# Acceptance

What the network has to do to be called right, and the tests that show it. A test shows a row when its title begins with
the ID of the row; \`npm run docs\` writes this page from the titles and from \`test/acceptance/rows.ts\`, where the rows are.
A full run fails when a test named here is missing or did not pass, and when a row of a complete family names none.
`;
const COMPLETE = 'Complete: every row is shown.';
const OPEN = 'Not complete yet.';
const ENTRY = /\[[^\]]*\]\(\.\.\/([^)]+)\) `([^`]+)`/g;

/** The page. */
export function pageOf(claims: readonly Claim[]): string {
  return `${HEAD}${FAMILIES.map(family => sectionOf(family, claims)).join('')}`;
}

function sectionOf({ title, complete, rows }: Family, claims: readonly Claim[]): string {
  const lines = rows.map(row =>
    lineOf(
      row,
      claims.filter(({ id }) => id === row.id),
    ),
  );
  return `
## ${title}

${complete ? COMPLETE : OPEN}

| Row | | What has to hold | Shown by |
|---|---|---|---|
${lines.join('\n')}
`;
}

function lineOf({ id, level, text }: Row, claims: readonly Claim[]): string {
  const tests = claims.map(({ path, title }) => {
    const name = path.slice(path.lastIndexOf('/') + 1, -'.test.ts'.length);
    return `[${name}](../${path}) \`${title.replaceAll('|', '\\|')}\``;
  });
  return `| ${id} | ${level} | ${text} | ${tests.join('<br>')} |`;
}

/** The claims on a page, and the IDs of its rows in their order. */
export function readPage(page: string): { readonly ids: string[]; readonly claims: Claim[] } {
  const ids: string[] = [];
  const claims: Claim[] = [];
  for (const line of page.split('\n')) {
    const [, id] = /^\| ([A-Za-z0-9]+[- ]\d+) \|/.exec(line) ?? [];
    if (id === undefined) continue;
    ids.push(id);
    for (const [, path, title] of line.matchAll(ENTRY))
      claims.push({ id, path: path!, title: title!.replaceAll('\\|', '|') });
  }
  return { ids, claims };
}
