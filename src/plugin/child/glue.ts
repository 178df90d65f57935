/** The definition of jco's debug output, and a call of it that stands as a statement; its texts hold no quotes (names are checked) and its objects no braces. */
const definition = /const _debugLog = \([\s\S]*?\n {2}\};\n/;
const statement = /\b_debugLog\((?:'[^'\n]*'|`[^`$]*`)(?:, \{[^{}]*\})?\);/g;

/**
 * The JavaScript jco 1.35 generated, without its debug output: it looks at the environment at each step of a call and is a tenth of what a
 * starting plugin's process must read. A call that is written in another way stays and does nothing.
 */
export function withoutDebug(code: string): string {
  return code.replace(definition, 'const _debugLog = () => {};\n').replace(statement, ';');
}

/** The same code without what only people read: each start of the plugin reads it. */
export function compact(code: string): string {
  const made = new Bun.Transpiler({ loader: 'js', minifyWhitespace: true }).transformSync(code);
  return made.replace(/(^|[;}])export (?=function |const )/g, '$1');
}
