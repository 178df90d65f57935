import { dlopen, ptr } from 'bun:ffi';

const glibc = () =>
  dlopen('libc.so.6', {
    socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
    bind: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
    recv: { args: ['i32', 'ptr', 'u64', 'i32'], returns: 'i64' },
    close: { args: ['i32'], returns: 'i32' },
  }).symbols;

/** A real unix datagram socket, as systemd listens on; `@name` is one in no folder. */
export function listen(address: string) {
  const libc = glibc();
  const [unix, datagram, dontWait] = [1, 2, 0x40];
  const socket = libc.socket(unix, datagram, 0);
  const path = new TextEncoder().encode(address.replace(/^@/, '\0'));
  const at = new Uint8Array([unix, 0, ...path, ...(address.startsWith('@') ? [] : [0])]);
  if (libc.bind(socket, ptr(at), at.length) !== 0) throw new Error(`cannot bind ${address}`);
  const said: string[] = [];
  const read = () => {
    for (;;) {
      const bytes = new Uint8Array(4096);
      const length = Number(libc.recv(socket, ptr(bytes), bytes.length, dontWait));
      if (length < 0) return said;
      said.push(new TextDecoder().decode(bytes.subarray(0, length)));
    }
  };
  return { read, [Symbol.dispose]: () => void libc.close(socket) };
}
