// The tables of all workers, read and filled by the control plane: each visit is short and on the worker's own thread,
// between two bursts, so that no packet waits for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/io/gateway.h"
#include "dataplane/io/worker_seat.h"

namespace sallyport::dataplane {

using WorkerSeats = std::vector<std::unique_ptr<WorkerSeat>>;

// Every row of all tables that `read(pipeline, from, out)` copies, in chunks, to `take`, which answers false to end it.
template <typename Row, typename Read>
void visit_tables(const WorkerSeats& seats, const Read& read, const std::function<bool(std::span<const Row>)>& take) {
  constexpr std::size_t rows_a_visit = 128;  // some 20 microseconds
  std::vector<Row> chunk(rows_a_visit);
  for (const auto& seat : seats) {
    std::size_t from = 0;
    while (from != SIZE_MAX) {
      std::size_t count = 0;
      if (!seat->ask([&](Pipeline& pipeline) { count = read(pipeline, from, std::span(chunk)); })) break;
      if (count != 0 && !take(std::span<const Row>(chunk).first(count))) return;
    }
  }
}

// `piece_ports`: see port_choice.h.
[[nodiscard]] TakenBackSums give_back(const WorkerSeats& seats, std::span<const SavedFlow> flows,
                                      std::uint32_t piece_ports);
void give_back(const WorkerSeats& seats, std::span<const SavedRest> ports, std::uint32_t piece_ports);

// See Gateway.
void take_changes(const WorkerSeats& seats, std::vector<EndedFlow>& ended, std::vector<SavedFlow>& settled);
[[nodiscard]] TakenBackSums follow(const WorkerSeats& seats, std::span<const SavedFlow> flows,
                                   std::uint32_t piece_ports);
void follow(const WorkerSeats& seats, std::span<const EndedFlow> flows);

}  // namespace sallyport::dataplane
