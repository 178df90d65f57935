/** A file that `bun build --compile` embeds: `import path from './x.pack' with { type: 'file' }`. */
declare module '*.pack' {
  const path: string;
  export default path;
}

/** The glue of the script engine, as jco's transpiler wrote it at build time (sync instantiation). */
declare module '#engine' {
  export function instantiate(
    getModule: (name: string) => WebAssembly.Module,
    imports: Record<string, unknown>,
    instantiateCore?: (...core: ConstructorParameters<typeof WebAssembly.Instance>) => WebAssembly.Instance,
  ): unknown;
}
