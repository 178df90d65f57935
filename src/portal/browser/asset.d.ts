/** Files for the browser, embedded in the executable as text. */
declare module '*.browser.js' {
  const text: string;
  export default text;
}
declare module '*.browser.css' {
  const text: string;
  export default text;
}
