/** The wasm-tools that jco carries, as `scripts/vendor-bindgen.ts` puts them into `build/vendor/`; only what px uses. */
declare module '#wasm-tools' {
  export const $init: Promise<void>;
  export const tools: {
    /** A core module with the types of a world in it. */
    componentEmbed(options: {
      binary: Uint8Array;
      witSource: string;
      world: string;
      stringEncoding: 'utf8' | 'utf16';
    }): Uint8Array;
    /** A component of a core module with types in it. */
    componentNew(binary: Uint8Array, adapters: [name: string, module: Uint8Array][]): Uint8Array;
    /** A module of its text. */
    parse(wat: string): Uint8Array;
  };
}
