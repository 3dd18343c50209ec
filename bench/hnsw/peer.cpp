// hnswlib's side of the HNSW benchmark: answers like `nearline-bench hnsw`, on the same case.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <hnswlib/hnswlib.h>

namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

// Memory of the process that is no file's, in bytes.
long anonymous_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind("RssAnon:", 0) == 0) return 1024 * std::atol(line.c_str() + 8);
    return -1;
}

struct Matrix {
    const float *values;
    long rows;
};

Matrix map(const std::string &path, long columns) {
    int file = open(path.c_str(), O_RDONLY);
    long bytes = file < 0 ? 0 : lseek(file, 0, SEEK_END);
    void *values = bytes > 0 ? mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
    if (values == MAP_FAILED) {
        std::cerr << path << ": cannot be read\n";
        std::exit(1);
    }
    return {static_cast<const float *>(values), bytes / (4 * columns)};
}

template <class Act>
void in_parallel(int threads, long from, long to, Act act) {
    std::atomic<long> next(from);
    std::vector<std::thread> all;
    for (int i = 0; i < threads; i++)
        all.emplace_back([&] {
            for (long at; (at = next++) < to;) act(at);
        });
    for (auto &thread : all) thread.join();
}

}  // namespace

int main(int count, char **arguments) {
    if (count != 8) {
        std::cerr << "usage: peer DIRECTORY SPACE DIMENSION LIMIT LINKS CONSTRUCTION THREADS\n";
        return 1;
    }
    const std::string directory = arguments[1], kind = arguments[2];
    const long dimension = std::atol(arguments[3]), limit = std::atol(arguments[4]);
    const int links = std::atoi(arguments[5]), construction = std::atoi(arguments[6]), threads = std::atoi(arguments[7]);
    const auto rows = map(directory + "/rows.f32", dimension), queries = map(directory + "/queries.f32", dimension);

    // "lifted": points of a sphere with another coordinate, where the nearest has the highest inner product; 16 columns
    // more, since the library is fastest on multiples of 16.
    const bool is_lifted = kind == "lifted";
    const long width = is_lifted ? dimension + 16 : dimension;
    double greatest = 0;
    auto square = [&](long row) {
        double sum = 0;
        for (long i = 0; i < dimension; i++) sum += double(rows.values[row * dimension + i]) * rows.values[row * dimension + i];
        return sum;
    };
    for (long row = 0; is_lifted && row < rows.rows; row++) greatest = std::max(greatest, square(row));
    auto point = [&](const float *values, double lift) {
        std::vector<float> to(width);
        std::copy(values, values + dimension, to.begin());
        if (is_lifted) to[dimension] = float(lift);
        return to;
    };

    std::unique_ptr<hnswlib::SpaceInterface<float>> space;
    if (is_lifted) space.reset(new hnswlib::L2Space(width));
    else space.reset(new hnswlib::InnerProductSpace(width));
    const long before = anonymous_bytes();
    const auto start = Clock::now();
    hnswlib::HierarchicalNSW<float> index(space.get(), rows.rows, links, construction);
    auto add = [&](long row) {
        const auto values = point(rows.values + row * dimension, is_lifted ? std::sqrt(std::max(0.0, greatest - square(row))) : 0);
        index.addPoint(values.data(), row);
    };
    add(0);
    in_parallel(threads, 1, rows.rows, add);
    const double built = seconds(start);
    std::cout << "{\"version\": \"hnswlib 0.6.2, " << kind << "\", \"build_seconds\": " << built
              << ", \"anonymous_bytes\": " << anonymous_bytes() - before << "}" << std::endl;

    std::vector<int> found(queries.rows * limit);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string what;
        long breadth = 0;
        words >> what >> breadth;
        index.setEf(breadth);
        const auto since = Clock::now();
        const auto cpu_since = std::clock();
        in_parallel(threads, 0, queries.rows, [&](long query) {
            const auto values = point(queries.values + query * dimension, 0);
            auto nearest = index.searchKnn(values.data(), limit);
            for (long at = limit; at-- > 0 && !nearest.empty(); nearest.pop()) found[query * limit + at] = int(nearest.top().second);
        });
        const double took = seconds(since), cpu = double(std::clock() - cpu_since) / CLOCKS_PER_SEC;
        std::ofstream(directory + "/found.i32", std::ios::binary)
            .write(reinterpret_cast<const char *>(found.data()), long(sizeof(int)) * found.size());
        std::cout << "{\"queries\": " << queries.rows << ", \"seconds\": " << took << ", \"cpu_seconds\": " << cpu << "}" << std::endl;
    }
}
