import { readFileSync, realpathSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, extname, join, normalize, sep } from 'node:path';

/** How a module asks for another. */
type ImportKind = 'import' | 'require';

/** Where an import leads: a file of the folder (its path below it), nothing on purpose (`"browser": {"fs": false}`), or nowhere. */
type Resolved = { path: string } | { empty: true } | { error: string };

const extensions = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json'];
/** TypeScript's way to name the file that will be there: `./x.js` for `x.ts`. */
const written: Record<string, string[]> = { '.js': ['.ts', '.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'] };
/** A hidden name in a path below the root; pnpm keeps its packages in one. */
const hidden = /\/\.(?!pnpm\/)/;
const maxFile = 8 * 1024 * 1024;
const maxManifest = 1024 * 1024;
/** Characters of a path, and how deep the conditions of a package.json are followed: what is written there may be anything. */
const maxPath = 4096;
const maxDepth = 16;

/** The parts of a package.json that say which file an import means. */
interface Package {
  /** Its folder below the root; empty for the root itself. */
  folder: string;
  name: unknown;
  main: unknown;
  module: unknown;
  browser: unknown;
  exports: unknown;
  imports: unknown;
}

/**
 * Finds the files that modules of a folder import, as bundlers for browsers do: relative paths, packages in `node_modules` of the folder and
 * of folders in it, `exports`, `imports`, `browser`, `module`, `main`. Only code and JSON is read; nothing hidden (`.git`, `.env.js`), and nothing
 * outside the folder, also not through a link.
 */
export interface Folder {
  resolve(from: string, specifier: string, kind: ImportKind): Resolved;
  /** The text of a file. Throws when it is none of this folder's. */
  read(path: string): string;
}

/** Opens a folder that somebody else may have written. */
export function openFolder(root: string): Folder {
  const real = realpathSync(root);
  const packages = new Map<string, Package | undefined>();

  /** A path's own file when it is a plain file inside; undefined otherwise. */
  function inside(path: string): string | undefined {
    const clean = normalize(path);
    if (clean.startsWith('..') || clean.startsWith(sep) || clean.includes('\0')) return undefined;
    if (!extensions.includes(extname(clean)) || hidden.test(`/${clean}`)) return undefined;
    try {
      const full = realpathSync(join(real, clean));
      const within = full.startsWith(real + sep) && !hidden.test(full.slice(real.length));
      return within && extensions.includes(extname(full)) && statSync(full).isFile() ? full : undefined;
    } catch {
      return undefined;
    }
  }

  function packageIn(folder: string): Package | undefined {
    if (packages.has(folder)) return packages.get(folder);
    let found: Package | undefined;
    const path = inside(join(folder, 'package.json'));
    if (path && statSync(path).size <= maxManifest) {
      try {
        const { name, main, module, browser, exports, imports } = JSON.parse(readFileSync(path, 'utf8'));
        found = { folder, name, main, module, browser, exports, imports };
      } catch {
        // A package.json that is none counts as not there.
      }
    }
    packages.set(folder, found);
    return found;
  }

  /** The package a file belongs to. */
  function packageOf(path: string): Package | undefined {
    for (let at = dirname(path); ; at = dirname(at)) {
      const found = packageIn(at === '.' ? '' : at);
      if (found || at === '.' || at.endsWith('node_modules')) return found;
    }
  }

  const file = (path: string): string | undefined => {
    const clean = normalize(path);
    if (inside(clean)) return clean;
    const ending = /\.[cm]?js$/.exec(clean)?.[0];
    const others = [
      ...extensions.map((extension) => clean + extension),
      ...(ending ? (written[ending] ?? []).map((extension) => clean.slice(0, -ending.length) + extension) : []),
    ];
    return others.find((path) => inside(path));
  };

  function fileOrFolder(path: string): string | undefined {
    const plain = path.endsWith('/') ? undefined : file(path);
    if (plain) return plain;
    const pack = packageIn(normalize(path).replace(/\/$/, ''));
    const entry = [pack?.browser, pack?.module, pack?.main].find((value) => typeof value === 'string');
    return (
      (typeof entry === 'string' ? (file(join(path, entry)) ?? file(join(path, entry, 'index'))) : undefined) ??
      file(join(path, 'index'))
    );
  }

  function fromPackage(pack: Package, subpath: string, kind: ImportKind): string | undefined {
    if (pack.exports === undefined || pack.exports === null)
      return fileOrFolder(subpath === '.' ? join(pack.folder, '/') : join(pack.folder, subpath));
    const target = conditional(pack.exports, subpath, kind);
    return target === undefined ? undefined : file(join(pack.folder, target));
  }

  function bare(from: string, specifier: string, kind: ImportKind): string | undefined {
    const [, name = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
    const subpath = rest === '' ? '.' : `.${rest}`;
    const own = packageOf(from);
    if (own?.name === name && own.exports) return fromPackage(own, subpath, kind);
    for (let at = dirname(from); ; at = dirname(at)) {
      const folder = join(at === '.' ? '' : at, 'node_modules', name);
      const pack = packageIn(folder);
      const found = pack ? fromPackage(pack, subpath, kind) : fileOrFolder(join(folder, rest));
      if (found || pack) return found;
      if (at === '.') return undefined;
    }
  }

  /** What the `browser` map of the importing package says of a file or a name. */
  function browserMap(pack: Package | undefined, key: string): string | false | undefined {
    const map = pack?.browser;
    if (typeof map !== 'object' || map === null) return undefined;
    const value: unknown = Object.entries(map).find(([k]) => k === key)?.[1];
    return typeof value === 'string' || value === false ? value : undefined;
  }

  function resolve(from: string, specifier: string, kind: ImportKind): Resolved {
    const where = from === '' ? 'it' : from;
    const pack = packageOf(from);
    const mapped = browserMap(pack, specifier);
    if (mapped === false) return { empty: true };
    let found: string | undefined;
    if (mapped !== undefined && pack)
      found = mapped.startsWith('.') ? file(join(pack.folder, mapped)) : bare(from, mapped, kind);
    else if (/^\.\.?(\/|$)/.test(specifier))
      found = fileOrFolder(`${join(dirname(from), specifier)}${specifier.endsWith('/') ? '/' : ''}`);
    else if (specifier.startsWith('#')) {
      const target = pack && conditional(pack.imports, specifier, kind);
      found =
        target === undefined
          ? undefined
          : target.startsWith('.')
            ? file(join(pack?.folder ?? '', target))
            : bare(from, target, kind);
    } else if (/^[/\\]|^[a-z]+:/i.test(specifier)) found = undefined;
    else found = bare(from, specifier, kind);
    if (found === undefined) return { error: missing(where, specifier) };
    const target = packageOf(found);
    const other = target && browserMap(target, `./${found.slice(target.folder === '' ? 0 : target.folder.length + 1)}`);
    if (other === false) return { empty: true };
    const instead = other === undefined ? found : file(join(target?.folder ?? '', other));
    return instead === undefined ? { error: missing(where, specifier) } : { path: instead };
  }

  return {
    resolve,
    read(path) {
      const full = inside(path);
      if (!full) throw new Error(`${path} is no file of this folder`);
      if (statSync(full).size > maxFile) throw new Error(`${path} is larger than ${maxFile / 1_048_576} MiB`);
      return readFileSync(full, 'utf8');
    },
  };
}

function missing(where: string, specifier: string): string {
  const name = JSON.stringify(specifier.slice(0, 200));
  if (specifier.startsWith('node:') || specifier.startsWith('bun:') || builtinModules.includes(specifier))
    return `${where} imports ${name}, which is a part of Node.js that a plugin does not have`;
  if (/^\.\.?(\/|$)/.test(specifier))
    return `${where} imports ${name}, and there is no such file (code or JSON) in the folder`;
  if (/^[/\\]|^[a-z]+:/i.test(specifier)) return `${where} imports ${name}, which is outside the folder`;
  return `${where} imports ${name}, which is not in node_modules of the folder`;
}

const conditions = new Set(['browser', 'worker', 'module', 'production', 'default']);

/** The target of a subpath under package.json's `exports` or `imports`. */
function conditional(map: unknown, subpath: string, kind: ImportKind): string | undefined {
  const keyed = typeof map === 'object' && map !== null && !Array.isArray(map);
  const entries = keyed ? Object.entries(map) : [];
  const isPaths = entries.some(([key]) => /^[.#]/.test(key));
  if (!isPaths) return subpath === '.' ? choose(map, kind) : undefined;
  const exact = entries.find(([key]) => key === subpath);
  if (exact) return choose(exact[1], kind);
  const patterns = entries
    .map(([key, value]) => ({ parts: key.split('*'), value }))
    .filter(({ parts: [start = '', end] }) => end !== undefined && subpath.startsWith(start) && subpath.endsWith(end))
    .sort((a, b) => (b.parts[0]?.length ?? 0) - (a.parts[0]?.length ?? 0));
  const [best] = patterns;
  if (!best) return undefined;
  const [start = '', end = ''] = best.parts;
  const star = subpath.slice(start.length, subpath.length - end.length);
  const parts = choose(best.value, kind)?.split('*', maxPath) ?? [];
  const length = parts.reduce((sum, part) => sum + part.length + star.length, 0);
  return parts.length === 0 || length > 2 * maxPath ? undefined : parts.join(star);
}

/** The first target whose condition holds. */
function choose(target: unknown, kind: ImportKind, depth = 0): string | undefined {
  if (typeof target === 'string') return target.length > maxPath ? undefined : target;
  if (depth > maxDepth) return undefined;
  if (Array.isArray(target)) {
    for (const one of target) {
      const found = choose(one, kind, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof target !== 'object' || target === null) return undefined;
  for (const [key, value] of Object.entries(target)) {
    if (key !== kind && !conditions.has(key)) continue;
    const found = choose(value, kind, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
