import { PxError } from '../../error/error.ts';

/** What a script may import; everything else is refused. */
const allowed = new Set(['px', 'project-x:core/host-api', 'project-x:core/host-api@0.1.0']);
const maxSource = 2_097_152;
/** Lines that look like a top-level import or export but stand inside a template literal or comment: more than this many is no honest script. */
const maxDecoys = 200;

function refuse(filename: string, why: string, hint?: string): PxError {
  return new PxError('plugin.invalid', `${filename}: ${why}`, hint === undefined ? {} : { hint });
}

/**
 * A TypeScript or JavaScript module as the body of a function that the script engine runs: `(__px_import) => exports`.
 * Nothing of the script is run and no file is read: macros are off, and only `px` and host-api can be imported.
 * Works inside the locked process too. Throws PxError `plugin.invalid` that says what is wrong and where.
 */
export function bundleScript(source: string, filename: string): string {
  if (source.length > maxSource) throw refuse(filename, `the script is longer than ${maxSource} characters`);
  const loader = /\.[cm]?js$/.test(filename) ? 'js' : 'ts';
  const { code, exported } = toModule(source, filename, loader);
  return toFunction(code, exported, filename);
}

/** Strips the types and checks the imports. */
function toModule(source: string, filename: string, loader: 'js' | 'ts'): { code: string; exported: string[] } {
  // `macro: false` is essential: Bun would otherwise run an import marked as a macro, in this process.
  const options = { loader, target: 'browser', macro: false, trimUnusedImports: loader === 'ts' } as const;
  try {
    const transpiler = new Bun.Transpiler(options as unknown as Bun.TranspilerOptions);
    const code = transpiler.transformSync(source);
    const { imports, exports } = new Bun.Transpiler({
      ...options,
      loader: 'js',
    } as unknown as Bun.TranspilerOptions).scan(code);
    for (const { path, kind } of imports) {
      if (kind === 'import-statement' && allowed.has(path)) continue;
      throw refuse(
        filename,
        `it imports ${JSON.stringify(path.slice(0, 100))}; a plugin script can import 'px' only`,
        '`px plugin build` makes one file of it and all that it imports. From its folder it is added as it is, but not when it is signed: a signature is of one file.',
      );
    }
    return { code, exported: exports };
  } catch (e) {
    if (e instanceof PxError) throw e;
    throw refuse(filename, syntaxError(e));
  }
}

function syntaxError(e: unknown): string {
  const first = e instanceof AggregateError ? e.errors[0] : e;
  const message = first instanceof Error || first instanceof BuildMessage ? first.message : String(first);
  const place = first instanceof BuildMessage && first.position ? `line ${first.position.line}: ` : '';
  return `${place}${message}`;
}

const importForm = /^import (?:([\w$]+)(?:, )?)?(?:\* as ([\w$]+)|\{([^{}"']*)\})?(?: from )?"([^"\\]+)";/;
const listForm = /^export \{([^{}"']*)\};/;
const namedDefault = /^export default (?:async )?(?:function\*? ?|class )(?!extends\b)([\w$]+)/;

/**
 * Rewrites the imports and exports of a module that Bun printed. A statement starts a line, at its first column; so can text inside
 * a template literal, and the parser tells the two apart: what stands before a statement is a complete program.
 */
function toFunction(code: string, exported: string[], filename: string): string {
  const head: string[] = [];
  const body: string[] = [];
  const locals = new Map<string, string>();
  const parser = new Bun.Transpiler({ loader: 'js', macro: false } as unknown as Bun.TranspilerOptions);
  let done = 0;
  let decoys = 0;
  for (const match of code.matchAll(/^(?:import|export) (?=[\w${*"])/gm)) {
    if (match.index < done) continue;
    const before = code.slice(done, match.index);
    if (!isProgram(parser, before)) {
      if (++decoys > maxDecoys) throw refuse(filename, 'too many lines that begin with import or export inside texts');
      continue;
    }
    body.push(before);
    const rest = code.slice(match.index);
    done =
      match.index +
      (match[0] === 'import ' ? takeImport(rest, head, filename) : takeExport(rest, body, locals, filename));
  }
  body.push(code.slice(done));
  const names = exported.map((name) => `get ${JSON.stringify(name)}() { return ${locals.get(name) ?? name}; }`);
  return `"use strict";\n${head.join('\n')}\n${body.join('')}\nreturn { ${names.join(', ')} };\n`;
}

function isProgram(parser: Bun.Transpiler, text: string): boolean {
  if (text.trim() === '') return true;
  try {
    parser.scan(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads one import statement and puts its binding into `head`; gives its length. */
function takeImport(rest: string, head: string[], filename: string): number {
  const found = importForm.exec(rest);
  const [whole = '', byDefault, namespace, list, path = ''] = found ?? [];
  if (!found || !allowed.has(path))
    throw refuse(filename, `an import is of a form px does not know: ${rest.slice(0, 60)}`);
  const module = `__px_import(${JSON.stringify(path)})`;
  if (byDefault) head.push(`const ${byDefault} = ${module};`);
  if (namespace) head.push(`const ${namespace} = ${module};`);
  const parts = names(list ?? '').map(([outer, local]) => (outer === local ? outer : `${outer}: ${local}`));
  if (parts.length) head.push(`const { ${parts.join(', ')} } = ${module};`);
  return whole.length;
}

/** Reads what is before an export's declaration, or a whole export list; gives its length. */
function takeExport(rest: string, body: string[], locals: Map<string, string>, filename: string): number {
  const list = listForm.exec(rest);
  if (list) {
    for (const [local, outer] of names(list[1] ?? '')) locals.set(outer, local);
    return list[0].length;
  }
  if (rest.startsWith('export default ')) {
    const name = namedDefault.exec(rest)?.[1];
    locals.set('default', name ?? '__px_default');
    if (!name) body.push('const __px_default = ');
    return 'export default '.length;
  }
  if (/^export (?:async function|function|class|const|let|var)\b/.test(rest)) return 'export '.length;
  throw refuse(filename, `an export is of a form px does not know: ${rest.slice(0, 60)}`);
}

/** `a, b as c` → `[['a', 'a'], ['b', 'c']]`. */
function names(list: string): [string, string][] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [from = '', to = from] = part.split(' as ').map((s) => s.trim());
      return [from, to];
    });
}
