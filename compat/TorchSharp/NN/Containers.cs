using System.Collections;
using System.Globalization;
using System.Runtime.CompilerServices;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp.Modules
{
    /// <summary>Modules one after the other; intermediate results are disposed.</summary>
    public class Sequential : nn.Module<Tensor, Tensor>
    {
        private readonly List<nn.IModule<Tensor, Tensor>> steps = [];

        protected internal Sequential(params (string, nn.Module<Tensor, Tensor>)[] modules)
            : base(nameof(Sequential))
        {
            foreach (var (key, module) in modules)
            {
                append(key, module);
            }
        }

        protected internal Sequential(params nn.Module<Tensor, Tensor>[] modules)
            : base(nameof(Sequential))
        {
            foreach (var module in modules)
            {
                append(module);
            }
        }

        public int Count => steps.Count;

        [IndexerName("SequentialItems")]
        public nn.IModule<Tensor, Tensor> this[int index] => steps[index];

        public Sequential append(nn.IModule<Tensor, Tensor> module) => append(steps.Count.ToString(CultureInfo.InvariantCulture), module);

        public Sequential append(string name, nn.IModule<Tensor, Tensor> module)
        {
            register_module(name, (nn.Module)module);
            steps.Add(module);
            return this;
        }

        public override Tensor forward(Tensor tensor)
        {
            if (steps.Count == 0)
            {
                return tensor.alias();
            }

            var current = steps[0].call(tensor);
            for (var k = 1; k < steps.Count; k++)
            {
                var next = steps[k].call(current);
                if (!ReferenceEquals(next, current) && !ReferenceEquals(current, tensor))
                {
                    current.Dispose();
                }

                current = next;
            }

            return current;
        }

        // The steps are registered as they are added.
        protected override void RegisterComponents()
        {
        }
    }

    /// <summary>A list of modules, registered under their places when the list itself is.</summary>
    public class ModuleList<T> : nn.Module, IList<T> where T : nn.Module
    {
        private readonly List<T> list = [];
        private bool registered;

        public ModuleList(params T[] modules)
            : base(nameof(ModuleList<T>)) => list.AddRange(modules);

        public int Count => list.Count;
        public bool IsReadOnly => false;

        public T this[int index]
        {
            get => list[index];
            set => list[index] = value;
        }

        public void Add(T item) => list.Add(item);
        public void append(params T[] parameters) => list.AddRange(parameters);
        public void extend(IEnumerable<T> modules) => list.AddRange(modules);
        public void Clear() => list.Clear();
        public bool Contains(T item) => list.Contains(item);
        public void CopyTo(T[] array, int arrayIndex) => list.CopyTo(array, arrayIndex);
        public IEnumerator<T> GetEnumerator() => list.GetEnumerator();
        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
        public int IndexOf(T item) => list.IndexOf(item);
        public void Insert(int index, T item) => list.Insert(index, item);
        public bool Remove(T item) => list.Remove(item);
        public void RemoveAt(int index) => list.RemoveAt(index);

        protected override void RegisterComponents()
        {
            if (registered)
            {
                return;
            }

            for (var k = 0; k < list.Count; k++)
            {
                register_module(k.ToString(CultureInfo.InvariantCulture), list[k]);
            }

            registered = true;
        }
    }

    /// <summary>Modules by key, in order, registered when the dictionary itself is.</summary>
    public class ModuleDict<T> : nn.Module, IDictionary<string, T>, IList<(string, T)> where T : nn.Module
    {
        private readonly OrderedDict<string, T> dict = new();
        private bool registered;

        public ModuleDict()
            : base(nameof(ModuleDict<T>))
        {
        }

        public int Count => dict.Count;
        public bool IsReadOnly => false;
        public ICollection<string> Keys => dict.Keys;
        public ICollection<T> Values => dict.Values;

        public T this[string key]
        {
            get => dict[key];
            set => dict[key] = value;
        }

        public (string, T) this[int index]
        {
            get => dict[index];
            set => dict[index] = value;
        }

        public void Add(string key, T value) => dict.Add(key, value);
        public void Add((string, T) item) => dict.Add(item);
        public void Add(KeyValuePair<string, T> item) => dict.Add(item);
        public void Clear() => dict.Clear();
        public void clear() => dict.Clear();
        public bool Contains((string, T) item) => dict.Contains(item);
        public bool Contains(KeyValuePair<string, T> item) => dict.Contains(item);
        public bool ContainsKey(string key) => dict.ContainsKey(key);
        public void CopyTo((string, T)[] array, int arrayIndex) => dict.CopyTo(array, arrayIndex);
        public void CopyTo(KeyValuePair<string, T>[] array, int arrayIndex) => dict.CopyTo(array, arrayIndex);
        public IEnumerator<(string, T)> GetEnumerator() => dict.GetEnumerator();
        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
        IEnumerator<KeyValuePair<string, T>> IEnumerable<KeyValuePair<string, T>>.GetEnumerator() => ((IEnumerable<KeyValuePair<string, T>>)dict).GetEnumerator();
        public int IndexOf((string, T) item) => dict.IndexOf(item);
        public void Insert(int index, (string, T) item) => dict.Insert(index, item);
        public bool Remove(string key) => dict.Remove(key);
        public bool Remove((string, T) item) => dict.Remove(item);
        public bool Remove(KeyValuePair<string, T> item) => dict.Remove(item);
        public void RemoveAt(int index) => dict.RemoveAt(index);
        public bool TryGetValue(string key, out T value) => dict.TryGetValue(key, out value);
        public IEnumerator<(string, T)> items() => dict.GetEnumerator();
        public IEnumerable<string> keys() => dict.Keys;
        public IEnumerable<T> values() => dict.Values;

        protected override void RegisterComponents()
        {
            if (registered)
            {
                return;
            }

            foreach (var (key, module) in dict)
            {
                register_module(key, module);
            }

            registered = true;
        }
    }

    /// <summary>A list of parameters, registered under their places when the list itself is.</summary>
    public class ParameterList : nn.Module, IList<Parameter>
    {
        private readonly List<Parameter> list = [];
        private bool registered;

        public ParameterList(params Parameter[] parameters)
            : base(nameof(ParameterList)) => list.AddRange(parameters);

        public int Count => list.Count;
        public bool IsReadOnly => false;

        public Parameter this[int index]
        {
            get => list[index];
            set => list[index] = value;
        }

        public void Add(Parameter item) => list.Add(item);
        public void append(params Parameter[] parameters) => list.AddRange(parameters);
        public void extend(IEnumerable<Parameter> parameters) => list.AddRange(parameters);
        public void Clear() => list.Clear();
        public bool Contains(Parameter item) => IndexOf(item) >= 0;
        public void CopyTo(Parameter[] array, int arrayIndex) => list.CopyTo(array, arrayIndex);
        public IEnumerator<Parameter> GetEnumerator() => list.GetEnumerator();
        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
        public int IndexOf(Parameter item) => list.FindIndex(p => ReferenceEquals(p, item));
        public void Insert(int index, Parameter item) => list.Insert(index, item);

        public bool Remove(Parameter item)
        {
            var place = IndexOf(item);
            if (place >= 0)
            {
                list.RemoveAt(place);
            }

            return place >= 0;
        }

        public void RemoveAt(int index) => list.RemoveAt(index);

        protected override void RegisterComponents()
        {
            if (registered)
            {
                return;
            }

            for (var k = 0; k < list.Count; k++)
            {
                register_parameter(k.ToString(CultureInfo.InvariantCulture), list[k]);
            }

            registered = true;
        }

        protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
        {
            RegisterComponents();
            base._toEpilog(dtype, device, non_blocking);
            for (var k = 0; k < list.Count; k++)
            {
                list[k] = _internal_params[k.ToString(CultureInfo.InvariantCulture)];
            }
        }
    }

    /// <summary>Parameters by key, in order, registered when the dictionary itself is.</summary>
    public class ParameterDict : nn.Module, IDictionary<string, Parameter>, IList<(string, Parameter)>
    {
        private readonly OrderedDict<string, Parameter> dict = new();
        private bool registered;

        public ParameterDict()
            : base(nameof(ParameterDict))
        {
        }

        public int Count => dict.Count;
        public bool IsReadOnly => false;
        public ICollection<string> Keys => dict.Keys;
        public ICollection<Parameter> Values => dict.Values;

        public Parameter this[string key]
        {
            get => dict[key];
            set => dict[key] = value;
        }

        public (string, Parameter) this[int index]
        {
            get => dict[index];
            set => dict[index] = value;
        }

        public void Add(string key, Parameter value) => dict.Add(key, value);
        public void Add((string, Parameter) item) => dict.Add(item);
        public void Add(KeyValuePair<string, Parameter> item) => dict.Add(item);
        public void Clear() => dict.Clear();
        public void clear() => dict.Clear();
        public bool Contains((string, Parameter) item) => dict.Contains(item);
        public bool Contains(KeyValuePair<string, Parameter> item) => dict.Contains(item);
        public bool ContainsKey(string key) => dict.ContainsKey(key);
        public void CopyTo((string, Parameter)[] array, int arrayIndex) => dict.CopyTo(array, arrayIndex);
        public void CopyTo(KeyValuePair<string, Parameter>[] array, int arrayIndex) => dict.CopyTo(array, arrayIndex);
        public IEnumerator<(string, Parameter)> GetEnumerator() => dict.GetEnumerator();
        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
        IEnumerator<KeyValuePair<string, Parameter>> IEnumerable<KeyValuePair<string, Parameter>>.GetEnumerator() => ((IEnumerable<KeyValuePair<string, Parameter>>)dict).GetEnumerator();
        public int IndexOf((string, Parameter) item) => dict.IndexOf(item);
        public void Insert(int index, (string, Parameter) item) => dict.Insert(index, item);
        public bool Remove(string key) => dict.Remove(key);
        public bool Remove((string, Parameter) item) => dict.Remove(item);
        public bool Remove(KeyValuePair<string, Parameter> item) => dict.Remove(item);
        public void RemoveAt(int index) => dict.RemoveAt(index);
        public bool TryGetValue(string key, out Parameter value) => dict.TryGetValue(key, out value);
        public IEnumerator<(string, Parameter)> items() => dict.GetEnumerator();
        public IEnumerable<string> keys() => dict.Keys;
        public IEnumerable<Parameter> values() => dict.Values;

        protected override void RegisterComponents()
        {
            if (registered)
            {
                return;
            }

            foreach (var (key, parameter) in dict)
            {
                register_parameter(key, parameter);
            }

            registered = true;
        }

        protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
        {
            RegisterComponents();
            base._toEpilog(dtype, device, non_blocking);
            foreach (var (key, parameter) in _internal_params)
            {
                dict[key] = parameter;
            }
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Sequential Sequential() => new(Array.Empty<Module<Tensor, Tensor>>());
            public static Modules.Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) => new(modules);
            public static Modules.Sequential Sequential(params Module<Tensor, Tensor>[] modules) => new(modules);
            public static Modules.Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules) => new(modules.ToArray());
            public static Modules.Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules) => new(modules.ToArray());
            public static Modules.ModuleList<Module> ModuleList(params Module[] modules) => new(modules);
            public static Modules.ModuleList<T> ModuleList<T>(params T[] modules) where T : Module => new(modules);

            public static Modules.ModuleDict<Module> ModuleDict(params (string, Module)[] modules) => ModuleDict<Module>(modules);

            public static Modules.ModuleDict<T> ModuleDict<T>(params (string, T)[] modules) where T : Module
            {
                var dict = new Modules.ModuleDict<T>();
                foreach (var item in modules)
                {
                    dict.Add(item);
                }

                return dict;
            }

            public static Modules.ParameterDict ParameterDict(params (string, Modules.Parameter)[] parameters)
            {
                var dict = new Modules.ParameterDict();
                foreach (var item in parameters)
                {
                    dict.Add(item);
                }

                return dict;
            }

            public static Modules.ParameterList ParameterList(params Modules.Parameter[] parameters) => new(parameters);
        }
    }
}
