{#
  How a fact that remembers loads is kept: only new loads are read, their newest rows replace the
  old ones by `record_key`. Spark without a table format has no delete: there the table is rebuilt,
  at a cost that grows with history.
#}
{% macro fact_materialization() -%}
    {{ return(adapter.dispatch("fact_materialization", "loyalty")()) }}
{%- endmacro %}

{% macro default__fact_materialization() -%} {{ return("incremental") }} {%- endmacro %}

{% macro spark__fact_materialization() -%} {{ return("table") }} {%- endmacro %}

{#
  The whole body of an `int_<feed>__current` model: the newest version of every record.

  Newest = the version time of the export, then the order in which loads were accepted, then the
  load, then the line. A night reads only loads it has not seen. When a load was withdrawn
  (superseded, forgotten, or replaced by a newer snapshot) all loads of the feed are read again,
  because an older version of its records may have to come back.
#}
{% macro current_rows(feed, staging) -%}
    {{-
        config(
            materialized=fact_materialization(),
            incremental_strategy="delete+insert",
            unique_key="record_key",
            on_schema_change="append_new_columns",
            pre_hook="{{ delete_withdrawn_rows('" ~ feed ~ "') }}",
        )
    -}}
    {%- set only_new = is_incremental() and not has_withdrawn_loads(feed) -%}
    with
        loads as (
            select load_id, load_seq as _load_seq
            from {{ source("raw", "loads") }}
            where
                feed = '{{ feed }}'
                {%- if only_new %}
                    and load_seq > (select coalesce(max(_load_seq), 0) from {{ this }})
                {%- endif %}
        ),

        staged as (
            select *
            from {{ staging }}
            {%- if only_new %}
                -- the load filter stands here as well, so that no old file is opened
                where
                    load_id in (
                        select load_id
                        from {{ source("raw", "loads") }}
                        where
                            feed = '{{ feed }}'
                            and load_seq
                            > (select coalesce(max(_load_seq), 0) from {{ this }})
                    )
            {%- endif %}
        ),

        versions as (
            select
                staged.*,
                loads._load_seq,
                row_number() over (
                    partition by staged.record_key
                    order by
                        coalesce(
                            staged._version_at, timestamp '1900-01-01 00:00:00'
                        ) desc,
                        loads._load_seq desc,
                        staged.load_id desc,
                        staged._line desc,
                        staged._file desc
                ) as _recency
            from staged
            inner join loads on staged.load_id = loads.load_id
        ),

        final as (
            select
                {% for name in column_names(staging) %}
                    {{ adapter.quote(name) }},
                {% endfor %} _load_seq
            from versions
            where
                _recency = 1
                {%- if only_new %}
                    -- a load accepted late must not overwrite a newer version
                    and not exists (
                        select 1
                        from {{ this }} as kept
                        where
                            kept.record_key = versions.record_key
                            and coalesce(
                                kept._version_at,
                                timestamp '1900-01-01 00:00:00'
                            ) > coalesce(
                                versions._version_at, timestamp '1900-01-01 00:00:00'
                            )
                    )
                {%- endif %}
        )

    select *
    from final
{%- endmacro %}

{# Condition for rows whose load is no longer among the accepted ones. #}
{% macro withdrawn_rows(feed) -%}
    load_id
    not in (select load_id from {{ source("raw", "loads") }} where feed = '{{ feed }}')
{%- endmacro %}

{# The statement that takes them out, before an incremental run adds anything. #}
{% macro delete_withdrawn_rows(feed) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ withdrawn_rows(feed) }}
    {%- endif -%}
{%- endmacro %}

{# Whether there are such rows: then an older version of their records may have to come back. #}
{% macro has_withdrawn_loads(feed) -%}
    {%- if not execute -%} {{ return(false) }} {%- endif -%}
    {%- set withdrawn = run_query(
        "select count(*) from " ~ this ~ " where " ~ withdrawn_rows(feed)
    ) -%}
    {{ return(withdrawn.columns[0].values()[0] > 0) }}
{%- endmacro %}
