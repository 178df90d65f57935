/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** A JSON object. */
export type JsonObject = { [key: string]: Json };
/** A JSON Schema (2020-12), as models and editors take it. */
export type JsonSchema = { [key: string]: Json };
