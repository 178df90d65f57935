import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import * as v from 'valibot';
import { PxError, toPxError } from '../../error/error.ts';
import { checkLayers, startChild } from '../child-process.ts';
import { isBelow } from '../files/path.ts';
import { encodeFrame, FrameError, parseFrame } from '../frame.ts';
import type { PrepareOptions } from '../prepare.ts';
import { FromPrepare } from '../protocol.ts';
import { openFolder } from './resolve.ts';

const path = v.pipe(v.string(), v.maxLength(4096));
const Question = v.variant('t', [
  v.object({ t: v.literal('resolve'), from: path, specifier: path, how: v.picklist(['import', 'require']) }),
  v.object({ t: v.literal('load'), path }),
]);

/** Whole time of a bundling, in ms, and what its process may grow to, in bytes. */
const wallMs = 60_000;
const maxRss = 1024 * 1024 * 1024;
/** Characters of all modules together, and how many there may be. */
const maxText = 32 * 1024 * 1024;
const maxModules = 5000;
const maxFrame = 16 * 1024 * 1024;

/** Whether a script imports anything beside px: then it has to be bundled. Text that only looks so does no harm. */
export function importsMore(source: string): boolean {
  // Blanks are read once, however many: this looks at what anybody may have written.
  return /\b(?:from|import|require)\s*(?:\(\s*)?(["'])(?!px\1|project-x:core\/)/.test(source);
}

/**
 * The folder that what a script imports may come from: that of its package, else its own. None that is or holds a folder of `apart`, the homes
 * of the person and of px: a package.json there makes nobody's files part of a plugin. Throws PxError `plugin.invalid`.
 */
function rootOf(script: string, apart: string[]): string {
  const own = dirname(script);
  const kept = apart.map((one) => (existsSync(one) ? realpathSync(one) : one));
  const holdsMore = (folder: string) => kept.some((one) => isBelow(one, folder));
  for (let at = own; at !== dirname(at) && !holdsMore(at); at = dirname(at))
    if (existsSync(join(at, 'package.json'))) return at;
  if (!holdsMore(own)) return own;
  throw new PxError('plugin.invalid', `${basename(script)} imports other files, and ${own} holds more than a plugin`, {
    hint: 'Put it into a folder of its own, with what it imports.',
  });
}

/**
 * A script with all that it imports, from its folder or that of its package and from packages in `node_modules` there, as one JavaScript module
 * that imports `px` only. It is put together in a locked throw-away process; no package's scripts run. `apart` are the homes of the person and
 * of px: no folder that holds one of them is a plugin's. Throws PxError `plugin.invalid`.
 */
export async function bundleFolder(options: PrepareOptions, script: string, apart: string[]): Promise<string> {
  const entry = realpathSync(script);
  const root = rootOf(entry, apart);
  const folder = openFolder(root);
  const refuse = (message: string) => new PxError('plugin.invalid', `${basename(entry)}: ${message}`, hintFor(message));
  let fault: PxError | undefined;
  let code: string | undefined;
  let locked = false;
  let modules = 0;
  let text = 0;
  const stop = (error: PxError) => {
    fault ??= error;
    child.kill();
  };
  const answer = (question: v.InferOutput<typeof Question>): Uint8Array => {
    if (question.t === 'resolve') return encodeFrame(folder.resolve(question.from, question.specifier, question.how));
    try {
      const content = folder.read(question.path);
      text += content.length;
      if (++modules > maxModules || text > maxText) throw new Error('it imports too much');
      return encodeFrame({ path: question.path }, [new TextEncoder().encode(content)]);
    } catch (e) {
      return encodeFrame({ error: e instanceof Error ? e.message : 'unreadable' });
    }
  };
  const child = startChild({
    command: [...options.command, 'folder'],
    maxFrame,
    onBroken: (e) => stop(new PxError('plugin.invalid', `the bundling process broke the rules: ${e.message}`)),
    onFrame(payload) {
      const frame = parseFrame(payload);
      const question = v.safeParse(Question, frame);
      if (question.success && locked) return child.send(answer(question.output));
      const parsed = v.safeParse(FromPrepare, frame);
      if (!parsed.success || (parsed.output.t === 'locked') === locked)
        throw new FrameError('a frame nobody waits for');
      if (parsed.output.t === 'refused') return stop(refuse(parsed.output.message));
      if (parsed.output.t === 'bundled') code = parsed.output.code;
      if (parsed.output.t !== 'locked') return;
      locked = true;
      try {
        checkLayers(parsed.output.layers, options.mode);
      } catch (e) {
        return stop(toPxError(e));
      }
      child.send(encodeFrame({ t: 'prepare', memoryMb: 0, filename: relative(root, entry) }, [new Uint8Array()]));
    },
  });
  const wall = setTimeout(() => stop(refuse('bundling it takes too long')), wallMs);
  const watch = setInterval(() => {
    if ((child.rss() ?? 0) > maxRss) stop(refuse('bundling it takes too much memory'));
  }, 50);
  const how = await child.exited;
  clearTimeout(wall);
  clearInterval(watch);
  if (fault) throw fault;
  if (code === undefined) throw refuse(`bundling it failed (${how})`);
  return code;
}

function hintFor(message: string): { hint?: string } {
  if (message.includes('not in node_modules'))
    return { hint: 'Install its packages first, in its folder: npm install --ignore-scripts' };
  if (message.includes('a part of Node.js'))
    return { hint: 'Instead there are fetch, crypto, URL, timers, console, and the module px.' };
  return {};
}
