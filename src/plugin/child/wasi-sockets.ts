import { type Interface, unreachable } from './unreachable.ts';

/*
 * WASI sockets without a socket: whatever would make one is answered with `access-denied`. Interpreters such as CPython link this part even
 * for programs that never use it.
 */

/** See above. */
export function inertSockets(): Record<string, Interface> {
  const denied = () => {
    throw { payload: 'access-denied' };
  };
  class Network {}
  const Tcp = unreachable(
    'TcpSocket',
    'startBind finishBind startConnect finishConnect startListen finishListen accept localAddress remoteAddress isListening addressFamily setListenBacklogSize keepAliveEnabled setKeepAliveEnabled keepAliveIdleTime setKeepAliveIdleTime keepAliveInterval setKeepAliveInterval keepAliveCount setKeepAliveCount hopLimit setHopLimit receiveBufferSize setReceiveBufferSize sendBufferSize setSendBufferSize subscribe shutdown',
  );
  const Udp = unreachable(
    'UdpSocket',
    'startBind finishBind stream localAddress remoteAddress addressFamily unicastHopLimit setUnicastHopLimit receiveBufferSize setReceiveBufferSize sendBufferSize setSendBufferSize subscribe',
  );
  return {
    'wasi:sockets/network': { Network },
    'wasi:sockets/instance-network': { instanceNetwork: () => new Network() },
    'wasi:sockets/tcp': { TcpSocket: Tcp },
    'wasi:sockets/tcp-create-socket': { createTcpSocket: denied },
    'wasi:sockets/udp': {
      UdpSocket: Udp,
      IncomingDatagramStream: unreachable('IncomingDatagramStream', 'receive subscribe'),
      OutgoingDatagramStream: unreachable('OutgoingDatagramStream', 'checkSend send subscribe'),
    },
    'wasi:sockets/udp-create-socket': { createUdpSocket: denied },
    'wasi:sockets/ip-name-lookup': {
      ResolveAddressStream: unreachable('ResolveAddressStream', 'resolveNextAddress subscribe'),
      resolveAddresses: denied,
    },
  };
}
