// The steps of setup behind its questions: from two names of ports to what is written for them.
#pragma once

#include <string>
#include <vector>

#include "src/exit_code.h"
#include "src/options.h"
#include "src/setup/first_configuration.h"
#include "src/setup/port_list.h"
#include "src/setup/questions.h"
#include "src/setup/sysfs.h"

namespace sallyport::setup {

// Ends the command: the status, and one line that says what to do.
struct Refused {
  ExitCode code;
  std::string message;
};

// What was done, and what the operator does next.
struct Outcome {
  std::vector<std::string> written;  // files
  std::vector<std::string> bound;    // PCI devices
  std::vector<std::string> next;     // a step each
};

class FirstGateway {
 public:
  FirstGateway(const SetupOptions& options, const Sysfs& sysfs, const std::vector<Port>& ports, Questions& questions,
               Outcome& outcome);

  // Asks what is not given and hands devices to vfio-pci. Throws Refused or EnvironmentError.
  void choose_ports();
  // Throws Refused.
  void write();

  // Of one PCI device. Throws like choose_ports().
  void bind(const std::string& name);
  // When all is bound: what else has to be, before the gateway can open it.
  void tell_group_mates();

 private:
  enum class Role : bool { inside, outside };

  [[nodiscard]] std::string chosen_name(Role role, const std::string& given);
  [[nodiscard]] FirstPort made(Role role, const std::string& name);
  [[nodiscard]] std::vector<std::string> addresses_for(Role role, const Port* port,
                                                       const std::vector<std::string>& given);
  void hand_over(const Port& port);
  void write_file(const std::string& path, const std::string& text);

  const SetupOptions& options_;
  const Sysfs& sysfs_;
  const std::vector<Port>& ports_;
  Questions& questions_;
  Outcome& outcome_;
  FirstPort inside_;
  FirstPort outside_;
};

}  // namespace sallyport::setup
