// TCP states of a flow as a table (RFC 5382 REQ-2 and REQ-5, RFC 7857 section 2 and its figure 1, RFC 6146
// section 3.5.2).
#pragma once

#include <array>
#include <cstdint>

namespace sallyport::dataplane {

enum class TcpState : std::uint8_t {
  none,        // not TCP, or nothing seen yet
  syn_client,  // the client's SYN
  syn_both,    // SYNs from both sides (the answer of a handshake, or a simultaneous open)
  established,
  fin_client,  // the client is done sending
  fin_server,
  closing,  // both are
  reset,
  syn_crossed,   // a simultaneous open, whose SYN of the server the client has answered
  syn_server,    // the server's SYN: it opens, through a mapping that stands
  syn_answered,  // the client's SYN-ACK to that
};
inline constexpr std::size_t tcp_state_count = 11;

enum class TcpEvent : std::uint8_t {
  client_syn,
  server_syn,
  client_syn_ack,
  server_syn_ack,
  client_ack,
  server_ack,
  client_fin,
  server_fin,
  rst,
};
inline constexpr std::size_t tcp_event_count = 9;

// What a valid segment does to the state. A SYN that starts the connection anew is not here: it ends the old flow.
[[nodiscard]] constexpr TcpState next_state(TcpState state, TcpEvent event) noexcept {
  using enum TcpState;
  using Row = std::array<TcpState, tcp_event_count>;
  constexpr std::array<Row, tcp_state_count> table = {{
      // client_syn, server_syn, client_syn_ack, server_syn_ack, client_ack, server_ack, client_fin, server_fin, rst
      /* none */
      {syn_client, syn_server, syn_client, syn_both, established, established, fin_client, fin_server, reset},
      /* syn_client */
      {syn_client, syn_both, syn_client, syn_both, syn_client, syn_client, syn_client, syn_client, reset},
      /* syn_both */
      {syn_both, syn_both, syn_crossed, syn_both, established, syn_both, fin_client, fin_server, reset},
      /* established */
      {established, established, established, established, established, established, fin_client, fin_server, reset},
      /* fin_client */
      {fin_client, fin_client, fin_client, fin_client, fin_client, fin_client, fin_client, closing, reset},
      /* fin_server */
      {fin_server, fin_server, fin_server, fin_server, fin_server, fin_server, closing, fin_server, reset},
      /* closing */
      {closing, closing, closing, closing, closing, closing, closing, closing, reset},
      /* reset: data revives the connection (RFC 7857 section 2.2) */
      {reset, reset, reset, reset, established, established, reset, reset, reset},
      /* syn_crossed: the server's SYN-ACK ends a simultaneous open as well as the client's data (RFC 5382 REQ-2) */
      {syn_crossed, syn_crossed, syn_crossed, established, established, syn_crossed, fin_client, fin_server, reset},
      /* syn_server */
      {syn_both, syn_server, syn_answered, syn_both, syn_server, syn_server, fin_client, fin_server, reset},
      /* syn_answered: the server's ACK is the third segment of its handshake */
      {syn_answered, syn_answered, syn_answered, established, established, established, fin_client, fin_server, reset},
  }};
  return table[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

// Both sides have not agreed yet.
[[nodiscard]] constexpr bool is_opening(TcpState state) noexcept {
  using enum TcpState;
  return state == none || state == syn_client || state == syn_both || state == syn_crossed || state == syn_server ||
         state == syn_answered;
}

// Established and half-closed connections live long; opening, closed on both sides, and reset ones are transitory.
[[nodiscard]] constexpr bool is_transitory(TcpState state) noexcept {
  return state != TcpState::established && state != TcpState::fin_client && state != TcpState::fin_server;
}

}  // namespace sallyport::dataplane
