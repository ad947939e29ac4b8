#include "dataplane/io/flow_survival.h"

#include <algorithm>

namespace sallyport::dataplane {
namespace {

constexpr std::size_t rows_a_visit = 64;

std::uint64_t& sum_of(TakenBackSums& sums, TakenBack what) { return sums[static_cast<std::size_t>(what)]; }

// Those of a worker, visit by visit.
template <typename Row, typename Take>
void give(WorkerSeat& seat, const std::vector<const Row*>& rows, const Take& take) {
  for (std::size_t done = 0; done < rows.size(); done += rows_a_visit) {
    const auto some = std::span(rows).subspan(done, std::min(rows_a_visit, rows.size() - done));
    const bool alive = seat.ask([&](Pipeline& pipeline) {
      for (const Row* row : some) take(pipeline, *row);
    });
    if (!alive) return;
  }
}

// Each to the worker whose it is.
template <typename Take>
TakenBackSums give_flows(const WorkerSeats& seats, std::span<const SavedFlow> flows, std::uint32_t piece_ports,
                         const Take& take) {
  TakenBackSums sums{};
  std::vector<std::vector<const SavedFlow*>> of_worker(seats.size());
  for (const SavedFlow& flow : flows) {
    const auto owner = Pipeline::owner(flow, static_cast<std::uint32_t>(seats.size()), piece_ports);
    if (owner) {
      of_worker[*owner].push_back(&flow);
    } else {
      ++sum_of(sums, TakenBack::elsewhere);
    }
  }
  for (std::size_t worker = 0; worker < seats.size(); ++worker) {
    give(*seats[worker], of_worker[worker],
         [&](Pipeline& pipeline, const SavedFlow& flow) { ++sum_of(sums, take(pipeline, flow)); });
  }
  return sums;
}

// All that `read(pipeline, out)` has to give now, visit by visit.
template <typename Row, typename Read>
void empty_queue(WorkerSeat& seat, std::vector<Row>& into, const Read& read) {
  std::size_t count = rows_a_visit;
  while (count == rows_a_visit) {
    const std::size_t before = into.size();
    into.resize(before + rows_a_visit);
    count = 0;
    seat.ask([&](Pipeline& pipeline) { count = read(pipeline, std::span(into).subspan(before)); });
    into.resize(before + count);
  }
}

}  // namespace

TakenBackSums give_back(const WorkerSeats& seats, std::span<const SavedFlow> flows, std::uint32_t piece_ports) {
  return give_flows(seats, flows, piece_ports,
                    [](Pipeline& pipeline, const SavedFlow& flow) { return pipeline.take_back(flow); });
}

void give_back(const WorkerSeats& seats, std::span<const SavedRest> ports, std::uint32_t piece_ports) {
  for (const SavedRest& port : ports) {
    const std::uint32_t owner = Pipeline::owner(port, static_cast<std::uint32_t>(seats.size()), piece_ports);
    give(*seats[owner], std::vector{&port},
         [](Pipeline& pipeline, const SavedRest& rest) { pipeline.take_back(rest); });
  }
}

void take_changes(const WorkerSeats& seats, std::vector<EndedFlow>& ended, std::vector<SavedFlow>& settled) {
  for (const auto& seat : seats) {
    empty_queue(*seat, ended, [](Pipeline& pipeline, auto out) { return pipeline.take_ended(out); });
    empty_queue(*seat, settled, [](Pipeline& pipeline, auto out) { return pipeline.take_settled(out); });
  }
}

TakenBackSums follow(const WorkerSeats& seats, std::span<const SavedFlow> flows, std::uint32_t piece_ports) {
  return give_flows(seats, flows, piece_ports,
                    [](Pipeline& pipeline, const SavedFlow& flow) { return pipeline.follow(flow); });
}

void follow(const WorkerSeats& seats, std::span<const EndedFlow> flows) {
  std::vector<std::vector<const EndedFlow*>> of_worker(seats.size());
  for (const EndedFlow& flow : flows) {
    of_worker[Pipeline::owner(flow, static_cast<std::uint32_t>(seats.size()))].push_back(&flow);
  }
  for (std::size_t worker = 0; worker < seats.size(); ++worker) {
    give(*seats[worker], of_worker[worker], [](Pipeline& pipeline, const EndedFlow& flow) { pipeline.follow(flow); });
  }
}

}  // namespace sallyport::dataplane
