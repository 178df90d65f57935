declare module 'punycode/punycode.es6.js' {
  const punycode: { toASCII(domain: string): string };
  export default punycode;
}
