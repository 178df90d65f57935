/*
 * The JavaScript that jco 1.35 generates keeps books on every call as on one that may wait in the middle: two thirds of what a starting plugin's
 * process must read, and most of the time of a call. A component that only makes synchronous calls needs none of it.
 */

/** The definition of jco's debug output, and a call of it that stands as a statement; its texts hold no quotes (names are checked) and its objects no braces. */
const definition = /const _debugLog = \([\s\S]*?\n {2}\};\n/;
const statement = /\b_debugLog\((?:'[^'\n]*'|`[^`$]*`)(?:, \{[^{}]*\})?\);/g;

/**
 * The JavaScript jco generated, without its debug output: it looks at the environment at each step of a call. A call that is written in
 * another way stays and does nothing.
 */
export function withoutDebug(code: string): string {
  return code.replace(definition, 'const _debugLog = () => {};\n').replace(statement, ';');
}

/** Where the generated function begins, and the first line of it that uses what it is given: what stands between belongs to no component. */
const opening = /^export function instantiate\([^\n]*\{\n/m;
const own = /^ *(?:const (?:module\d+ = getCoreModule\(|[^\n]* = imports\b)|let gen= )/m;

/**
 * The same code with what jco always writes outside the function, so that a bundler can drop what the component does not use; and without jco's books,
 * where the component does not need them. The name of its error's class outlives minifying.
 */
export function direct(code: string): string {
  const start = opening.exec(code);
  const from = start ? start.index + start[0].length : 0;
  const until = own.exec(code.slice(from));
  if (!start || !until) return code;
  const helpers = code.slice(from, from + until.index);
  const component = code.slice(from + until.index);
  const lean = withoutBooks(component);
  const keeps = usesBooks(helpers, lean);
  return [
    code.slice(0, start.index),
    helpers.replace('class ComponentError extends Error {', "$& static name = 'ComponentError';"),
    keeps ? '' : oneTask,
    start[0],
    keeps ? component : lean,
  ].join('\n');
}

/** What jco's wrapper of an import does beside the call: lifting for its books what the import itself lifts again. */
const wrapped =
  /let (trampoline\d+) = (_trampoline\d+)\.manuallyAsync \? [\s\S]*?importFn: \2,\s*\},\s*\)\)\) : _lowerImportBackwardsCompat\.bind\([\s\S]*?importFn: \2,\s*\},\s*\);/g;
/** The task of an import's own, and how it hangs on that of the export that called. */
const nested = /const createTask = [\s\S]*?taskCreation: \{[\s\S]*?setParentSubtask\(subtask\);\s*\}\s*\}/g;
const laterReturn =
  /try \{\s*postReturn\d+Async = WebAssembly\.promising\([^)]*\);\s*\} catch\(err\) \{\s*postReturn\d+Async = [^;]*;\s*\}/g;

/** What a call tells its task, each a statement; the values among it are made again for whoever called. */
const told = [
  /const started = task\.enterSync\(\);/g,
  /CURRENT_TASK_MAY_BLOCK\.value = task\.mayBlock\(\) \? 1 : 0;/g,
  /if \(\w+\s*!== null\) \{\s*task\.setReturnMemoryIdx\(\w+\);\s*task\.setReturnMemory\(\(\(\) => \w+\)\(\)\);\s*\}/g,
  /task\.setCalleeIsAsync\(\w+\);/g,
  /task\.resolve\(\[[^;]*\]\);/g,
  /task\.exit\(\);/g,
];
/** A call of the component that stands on one line. */
const direction =
  /_withGlobalCurrentTaskMeta\(\{\s*taskID: task\.id\(\),\s*componentIdx: task\.componentIdx\(\),\s*fn: \(\) => ([^\n]*),\s*\}\)/g;

function withoutBooks(component: string): string {
  return told
    .reduce((code, statement) => code.replace(statement, ''), component)
    .replace(direction, '($1)')
    .replace(wrapped, 'let $1 = $2;')
    .replace(nested, '[task] = oneTask;')
    .replace(laterReturn, '')
    .replace(/\bcreateNewCurrentTask\(\{[^{}]*\}\)/g, 'oneTask')
    .replace(/\b_withGlobalCurrentTaskMeta\b/g, 'runNow')
    .replace(/\b_trackHostOperation\b/g, 'callNow')
    .replace(/\b_guardMayLeave\b/g, 'unguarded')
    .replace(/\bgetOrCreateAsyncState\b/g, 'oneState');
}

/** Helpers that move values between JavaScript and a component's memory, and those of resources. */
const harmless =
  /^(?:to[A-Z]|_require|_isValid|_utf|utf|rscTable|dataView|clamp|throw|finalization|getErrorPayload|ComponentError)/;

/** Whether a component still needs one of the helpers that keep books: it is asynchronous, or made of several components. */
function usesBooks(helpers: string, component: string): boolean {
  const used = new Set(component.match(/\b[A-Za-z_$][\w$]*/g));
  return [...helpers.matchAll(/^ {0,4}(?:async )?(?:function\*?|class) (\w+)/gm)].some(
    ([, name = '']) => used.has(name) && !harmless.test(name),
  );
}

/** Stands for the task of each call: one runs at a time, from beginning to end, and after a trap none does. */
const oneTask = `
  const oneTask = [{
    setCalleeIsAsync() {}, enterSync() {}, mayBlock: () => false, setReturnMemoryIdx() {}, setReturnMemory() {}, id: () => 0,
    componentIdx: () => 0, resolve() {}, reject() {}, setErrored() {}, exit() {}, isResolvedState: () => true, isExited: () => true,
    getParentSubtask() {},
  }, 0];
  const runNow = ({ fn }) => fn();
  const callNow = (fn) => fn();
  const unguarded = (component, fn) => fn;
  const state = { mayLeave: true, throwIfTrapped() {}, markTrapped() {} };
  const oneState = () => state;
`;

/**
 * Begins to bundle and stops before the first module, when Bun's bundler has opened what it needs: then the process can be locked. What is given
 * back goes on: it makes of generated code the body of a function that gives `instantiate`, without what is not used and what only people read.
 * Nothing else can become a part of it.
 */
export async function beginBundling(): Promise<(code: string) => Promise<string>> {
  const begun = Promise.withResolvers<void>();
  const generated = Promise.withResolvers<string>();
  const building = Bun.build({
    entrypoints: ['plugin'],
    // Not in Bun's types; without it a module imported as a macro would run in this process.
    ...{ macros: false },
    format: 'esm',
    target: 'browser',
    minify: true,
    plugins: [
      {
        name: 'px',
        setup(build) {
          build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
            if (kind.startsWith('entry-point')) return { path, namespace: 'px-glue' };
            throw new Error(`the generated code imports ${path}`);
          });
          build.onLoad({ filter: /.*/, namespace: 'px-glue' }, async () => {
            begun.resolve();
            return { contents: await generated.promise, loader: 'js' };
          });
        },
      },
    ],
  });
  await Promise.race([begun.promise, building]);
  return async (code) => {
    generated.resolve(direct(code));
    const made = (await (await building).outputs[0]?.text()) ?? '';
    return made.replace(/\bexport\s*\{[^{}]*?([\w$]+) as instantiate\s*\};?\s*$/, 'return $1;');
  };
}
