{#
  What a staging model reads: the newest version of every record of a feed, with its `record_key`
  (made of the columns `key`) and the number of its load.

  Newest = the version time of the export, then the order in which loads were accepted, then the
  load, then the line. A run reads only loads it has not seen, and what it finds replaces the rows
  of the same key. When a load was withdrawn (superseded, forgotten, or replaced by a newer
  snapshot) all loads of the feed are read again, because an older version of its records may have
  to come back.
#}
{% macro newest_rows(feed, key) -%}
    {%- set only_new = is_incremental() and not has_withdrawn_loads(feed) -%}
    with
        loads as (
            select load_id, load_seq as _load_seq
            from {{ source("raw", "loads") }}
            where
                feed = '{{ feed }}'
                {%- if only_new %} and {{ is_new_load() }} {%- endif %}
        ),

        landed as (
            select *, {{ made_key(key) }} as record_key
            from {{ source("raw", feed) }}
            {%- if only_new %}
                -- the filter is here as well, so that no file of an old load is
                -- opened
                where
                    load_id in (
                        select load_id
                        from {{ source("raw", "loads") }}
                        where feed = '{{ feed }}' and {{ is_new_load() }}
                    )
            {%- endif %}
        ),

        versions as (
            select
                landed.*,
                loads._load_seq,
                row_number() over (
                    partition by landed.record_key
                    order by
                        coalesce(
                            landed._version_at, timestamp '1900-01-01 00:00:00'
                        ) desc,
                        loads._load_seq desc,
                        landed.load_id desc,
                        landed._line desc,
                        landed._file desc
                ) as _recency
            from landed
            inner join loads on landed.load_id = loads.load_id
        )

    select *
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
                    and coalesce(kept._version_at, timestamp '1900-01-01 00:00:00')
                    > coalesce(versions._version_at, timestamp '1900-01-01 00:00:00')
            )
        {%- endif %}
{%- endmacro %}

{# Condition for loads that this table has not read. #}
{% macro is_new_load() -%}
    load_seq > (select coalesce(max(_load_seq), 0) from {{ this }})
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
