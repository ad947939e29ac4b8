// The states of a connection, cell by cell.
#include "dataplane/flow/tcp_state.h"

#include <map>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace sallyport::dataplane {
namespace {

// RFC 6146 section 3.5.2 and RFC 7857 figure 1, with the client inside: what each event makes of each state. "=" is the
// same state. SYNs of both sides in either order are an open, which the SYN-ACKs of both end; the server's SYN alone is
// an open, too, which its ACK of the client's SYN-ACK ends; a FIN of one side is half
// a close; a RST ends all, and data after it revives the connection (RFC 7857 section 2.2).
constexpr const char* rfc = R"(
             client_syn  server_syn  client_syn_ack  server_syn_ack  client_ack   server_ack   client_fin  server_fin  rst
none         syn_client  syn_server  syn_client      syn_both        established  established  fin_client  fin_server  reset
syn_client   =           syn_both    =               syn_both        =            =            =           =           reset
syn_both     =           =           syn_crossed     =               established  =            fin_client  fin_server  reset
syn_crossed  =           =           =               established     established  =            fin_client  fin_server  reset
syn_server   syn_both    =           syn_answered    syn_both        =            =            fin_client  fin_server  reset
syn_answered =           =           =               established     established  established  fin_client  fin_server  reset
established  =           =           =               =               =            =            fin_client  fin_server  reset
fin_client   =           =           =               =               =            =            =           closing     reset
fin_server   =           =           =               =               =            =            closing     =           reset
closing      =           =           =               =               =            =            =           =           reset
reset        =           =           =               =               established  established  =           =           =
)";

TEST(TcpState, TheTableIsThatOfTheRfcs) {
  using enum TcpState;
  const std::map<std::string, TcpState> states = {{"none", none},
                                                  {"syn_client", syn_client},
                                                  {"syn_both", syn_both},
                                                  {"established", established},
                                                  {"fin_client", fin_client},
                                                  {"fin_server", fin_server},
                                                  {"closing", closing},
                                                  {"reset", reset},
                                                  {"syn_crossed", syn_crossed},
                                                  {"syn_server", syn_server},
                                                  {"syn_answered", syn_answered}};
  const std::map<std::string, TcpEvent> events = {{"client_syn", TcpEvent::client_syn},
                                                  {"server_syn", TcpEvent::server_syn},
                                                  {"client_syn_ack", TcpEvent::client_syn_ack},
                                                  {"server_syn_ack", TcpEvent::server_syn_ack},
                                                  {"client_ack", TcpEvent::client_ack},
                                                  {"server_ack", TcpEvent::server_ack},
                                                  {"client_fin", TcpEvent::client_fin},
                                                  {"server_fin", TcpEvent::server_fin},
                                                  {"rst", TcpEvent::rst}};
  std::istringstream text(rfc);
  std::vector<std::string> head(tcp_event_count);
  for (std::string& event : head) text >> event;
  std::size_t cells = 0;
  for (std::string state; text >> state;) {
    for (const std::string& event : head) {
      std::string next;
      text >> next;
      const TcpState before = states.at(state);
      const TcpState expected = next == "=" ? before : states.at(next);
      EXPECT_EQ(next_state(before, events.at(event)), expected) << state << " at " << event;
      ++cells;
    }
  }
  EXPECT_EQ(cells, tcp_state_count * tcp_event_count);
}

TEST(TcpState, OnlyOpenConnectionsLiveLong) {
  using enum TcpState;
  for (const TcpState state : {established, fin_client, fin_server}) EXPECT_FALSE(is_transitory(state));
  for (const TcpState state : {none, syn_client, syn_both, syn_crossed, syn_server, syn_answered, closing, reset})
    EXPECT_TRUE(is_transitory(state));
}

}  // namespace
}  // namespace sallyport::dataplane
