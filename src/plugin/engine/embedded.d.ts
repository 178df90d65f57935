/** A file that `bun build --compile` embeds: `import path from './x.pack' with { type: 'file' }`. */
declare module '*.pack' {
  const path: string;
  export default path;
}
