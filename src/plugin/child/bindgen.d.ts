/** jco's transpiler as `scripts/vendor-bindgen.ts` puts it into `build/vendor/`; only what px uses. */
declare module '#bindgen' {
  export interface GenerateOptions {
    name: string;
    instantiation: { tag: 'sync' | 'async' };
    noTypescript?: boolean;
    base64Cutoff?: number;
    map?: [string, string][];
  }
  export interface Transpiled {
    files: [string, Uint8Array][];
    imports: string[];
    exports: [string, 'function' | 'instance'][];
  }
  /** Version of jco-transpile. */
  export const version: string;
  /** Resolves when the transpiler's own core modules are compiled. */
  export const $init: Promise<void>;
  export function generate(component: Uint8Array, options: GenerateOptions): Transpiled;
}
