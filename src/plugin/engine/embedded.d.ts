/** A file that `bun build --compile` embeds: `import path from './x.pack' with { type: 'file' }`. */
declare module '*.pack' {
  const path: string;
  export default path;
}
declare module '*.wasm' {
  const path: string;
  export default path;
}
declare module '*.picture' {
  const path: string;
  export default path;
}

/** What the build found out about the script engine. */
declare module '#engine' {
  export const id: string;
  export const maximumAt: number;
  export const anchors: import('./engine.ts').Anchors;
}
